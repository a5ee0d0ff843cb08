"""The samplers of k-diffusion and diffusers on an exact denoiser and recorded noise, as they drew in float64.

``tests/data/solvers/make.py`` made the records. Where the packages are installed (``pip install .[compare]``)
it is run again.
"""

import importlib.util

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.solver_orders.measure import flow
from score_sde import samplers, sdes
from score_sde.denoisers import IsotropicMixture

pytestmark = pytest.mark.usefixtures("x64")
MEANS = np.array([[-2.0, -1.0], [1.5, 0.5], [0.0, 2.0]])
STEPS = 12


class RatioVP(sdes.GaussianSDE):
    """Variance-preserving, in the time sigma / alpha: diffusers' schedules are lists of these."""

    def alpha(self, t):
        return 1 / jnp.sqrt(1 + jnp.square(t))

    def sigma(self, t):
        return t / jnp.sqrt(1 + jnp.square(t))

    def time_at_log_snr(self, log_snr):
        return jnp.exp(-0.5 * log_snr)


class LogRatioVP(RatioVP):
    """The same in the time log(sigma / alpha) + 10, in which diffusers' DEIS interpolates."""

    def alpha(self, t):
        return super().alpha(jnp.exp(t - 10))

    def sigma(self, t):
        return super().sigma(jnp.exp(t - 10))

    def time_at_log_snr(self, log_snr):
        return 10 - 0.5 * log_snr


CHURNED = samplers.ChurnedHeun(churn=4.0, s_min=0.05, s_max=10.0, s_noise=1.003, N=STEPS)
SAME = {
    "k_euler": samplers.DDIM(),
    "k_euler_ancestral": samplers.Ancestral(),
    "k_heun": samplers.ChurnedHeun(N=STEPS),
    "k_heun_churn": CHURNED,
    "k_lms": samplers.DEIS(terms=4),  # on EDM, whose time is sigma
    "k_dpmpp_2s_ancestral": samplers.DPMSolverPP2S(),
    "k_dpmpp_2m": samplers.DPMSolverPP2M(),
    "k_dpmpp_2m_sde": samplers.DPMSolverPP2M(churn=1.0),
    "k_dpmpp_2m_sde_heun": samplers.ExponentialMultistep(terms=2, churn=1.0),
    "k_dpmpp_3m_sde": samplers.DPMSolverPP3M(churn=1.0),
    "k_dpmpp_3m_sde_ode": samplers.DPMSolverPP3M(),
    "d_dpm_1": samplers.DDIM(),
    "d_dpm_2m": samplers.DPMSolverPP2M(),
    "d_dpm_2m_heun": samplers.ExponentialMultistep(terms=2),
    "d_dpm_3m_heun": samplers.DPMSolverPP3M(),
    "d_dpm_1_sde": samplers.Ancestral(),
    "d_dpm_2m_sde": samplers.DPMSolverPP2M(churn=1.0),
    "d_deis_2": samplers.DEIS(terms=2),
    "d_deis_3": samplers.DEIS(terms=3),
    "d_unipc_2_bh1": samplers.UniPC(terms=2, size=samplers.B1()),
    "d_unipc_2_bh2": samplers.UniPC(terms=2),
    "d_unipc_3_bh2": samplers.UniPC(terms=3),
}


@pytest.fixture(scope="module")
def recorded(reference_data):
    return np.load(reference_data / "solvers" / "solvers.npz")


def problem(recorded, name):
    """Process, model, times, start and noise of a record."""
    kind = name[0]
    sde = sdes.EDM() if kind == "k" else LogRatioVP(T=20.0) if "deis" in name else RatioVP(T=200.0)
    sigmas = recorded["k_sigmas" if kind == "k" else f"{name}_sigmas"]
    times = np.log(sigmas) + 10 if "deis" in name else sigmas
    model = IsotropicMixture(sde=sde, weights=[0.5, 0.3, 0.2], means=MEANS, stds=0.6)
    noise = recorded["noise"]
    return model, jnp.asarray(times), jnp.asarray(noise[-1] * (20.0 if kind == "k" else 1.0)), noise[:-1]


def drawn(predictor, recorded, name):
    """All steps, each with the noise that was recorded for it."""
    model, times, x, noise = problem(recorded, name)

    def advance(carry, given):
        (x, memory), (t, s, z) = carry, given
        step = predictor.step(samplers.GivenNoise(values=z), model, x, t, s, memory)
        return (step.x, step.memory), None

    @jax.jit
    def run(x):
        begun = x, predictor.init(model, x, times[0])
        return jax.lax.scan(advance, begun, (times[:-1], times[1:], jnp.asarray(noise)))[0][0]

    return np.asarray(run(x))


@pytest.mark.parametrize("name", SAME)
def test_the_same_method_draws_the_same(recorded, name):
    np.testing.assert_allclose(drawn(SAME[name], recorded, name), recorded[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "predictor"),
    [
        ("d_dpm_3m", samplers.DPMSolverPP3M()),
        ("d_sa_solver_2", samplers.SASolver(terms=2, corrector_terms=1, churn=0.0)),
    ],
)
def test_where_they_differ_ours_is_nearer_to_the_exact_flow(recorded, name, predictor):
    """Solved by scipy. Why: the README of experiments/solver_orders."""
    model, times, x, _ = problem(recorded, name)
    exact = flow(model, np.asarray(x), np.asarray(times))[-1]
    ours, theirs = drawn(predictor, recorded, name), recorded[name]
    assert np.abs(ours - theirs).max() > 1e-5
    assert np.square(ours - exact).mean() < np.square(theirs - exact).mean()


def test_sa_solver_differs_by_its_second_step_only(recorded):
    """diffusers changes the weights of two values, which with three predict in the second step alone."""
    predictor = samplers.SASolver(terms=3, corrector_terms=2, churn=0.0)
    ours, theirs = drawn(predictor, recorded, "d_sa_solver_3"), recorded["d_sa_solver_3"]
    assert 1e-6 < np.abs(ours - theirs).max() < 2e-4


def test_a_small_mistake_would_be_seen(recorded):
    """Five percent in the extrapolation, or in the noise, is far beyond the tolerance."""
    louder = samplers.ChurnedHeun(churn=4.0, s_min=0.05, s_max=10.0, s_noise=1.05 * 1.003, N=STEPS)
    for name, wrong in (("k_heun_churn", louder), ("d_dpm_3m_heun", samplers.DPMSolverPP3M(curvature=0.525))):
        assert np.abs(drawn(wrong, recorded, name) - recorded[name]).max() > 1e-4


def test_the_records_are_what_the_packages_draw(recorded, reference_data):
    for package in ("torch", "diffusers", "torchsde", "torchdiffeq"):
        pytest.importorskip(package)
    if importlib.util.find_spec("k_diffusion") is None:  # all of it imports much that is not needed here
        pytest.skip("k_diffusion is not installed")
    spec = importlib.util.spec_from_file_location("make", reference_data / "solvers" / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    again = {**make.k_diffusion(recorded["noise"]), **make.diffusers(recorded["noise"])}
    for name in SAME:
        np.testing.assert_allclose(again[name], recorded[name], rtol=1e-9, err_msg=name)
