"""The original's inpainting and colorization, step by step on recorded noise.

``controllable_generation.npz`` was made by that code itself, in float64, on the exact score of a mixture.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import arrays, denoisers, samplers, sdes
from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError
from score_sde.inverse import Measurement
from score_sde.inverse.noises import GaussianNoise
from score_sde.inverse.operators import Colorization, Identity, Mask
from score_sde.inverse.original import OriginalColorization, OriginalInpainting

pytestmark = pytest.mark.usefixtures("x64")

SDES = {
    "vp": (sdes.VP(beta_min=0.1, beta_max=8.0), 1e-3),
    "subvp": (sdes.SubVP(beta_min=0.1, beta_max=8.0), 1e-3),
    "ve": (sdes.VE(sigma_min=0.02, sigma_max=20.0), 1e-5),
}
CASES = [
    "inpaint_vp_reverse_langevin_1_sde_mean",
    "inpaint_ve_reverse_langevin_2_sde_sample",
    "inpaint_subvp_euler_none_1_sde_mean",
    "inpaint_vp_ancestral_ald_1_sde_mean",
    "inpaint_ve_reverse_ald_1_flow_mean",
    "colorize_vp_reverse_langevin_1_sde_mean",
    "colorize_ve_reverse_langevin_2_sde_mean",
    "colorize_subvp_reverse_none_1_sde_sample",
    "colorize_ve_ancestral_none_1_sde_mean",
]


class Watched(ScoreModel):
    """Another model, which writes down what it is asked."""

    model: object
    asked: object

    def score(self, x, t, cond=None, *, key=None):
        self.asked.append(np.asarray(x))
        return self.model.score(x, t, cond, key=key)


@pytest.fixture(scope="module")
def case(reference_data):
    return dict(np.load(reference_data / "controllable_generation.npz"))


def discretization(name, N):
    classes = {"vp": samplers.DDPMDiscretization, "ve": samplers.SMLDDiscretization}
    return classes.get(name, samplers.EulerDiscretization)(N=N)


def predictor(kind, name, flow, N):
    reverse = samplers.ReverseODE() if flow else samplers.ReverseSDE()
    if kind == "euler":
        return samplers.OriginalEulerMaruyama(N=N, reverse=reverse)
    if kind == "reverse":
        return samplers.OriginalReverseDiffusion(discretization=discretization(name, N), reverse=reverse)
    return samplers.OriginalAncestralVE(N=N) if name == "ve" else samplers.OriginalAncestralVP(N=N)


def corrector(kind, name, N, snr):
    scale = samplers.UnitAlpha() if name == "ve" else samplers.DDPMAlpha(N=N)
    classes = {"langevin": samplers.OriginalLangevin, "ald": samplers.OriginalAnnealedLangevin}
    return classes[kind](snr=snr, alpha=scale) if kind in classes else samplers.NoCorrector()


def setting(case, name):
    """Our method, measurement and model of a case."""
    task, sde_name, predict, correct, n_correct, flow, kept = name.split("_")
    (sde, eps), N, snr = SDES[sde_name], int(case["N"]), float(case["snr"])
    sampler = samplers.Sampler(
        predictor=predictor(predict, sde_name, flow == "flow", N),
        corrector=corrector(correct, sde_name, N, snr),
        grid=samplers.OriginalGrid(eps=eps),
        n_steps=N,
        corrector_steps=int(n_correct),
        final=samplers.KeepMean() if kept == "mean" else samplers.KeepSample(),
    )
    model = denoisers.GaussianMixture.isotropic(
        sde=sde, weights=case["weights"], means=case["means"], stds=case["stds"]
    )
    shape = case["data"].shape
    if task == "inpaint":
        operator, data = Mask(mask=case["mask"][0] == 1), case["data"]
    else:
        operator, data = Colorization(shape=shape[1:]), case["gray"]
    y = operator(jnp.asarray(data))
    measurement = Measurement(y=y, operator=operator, noise=GaussianNoise(std=0.0))
    cls = OriginalInpainting if task == "inpaint" else OriginalColorization
    return cls(sampler=sampler), model, measurement, shape


@pytest.mark.parametrize("name", CASES)
def test_states_and_results_are_the_originals(case, monkeypatch, name):
    method, model, measurement, shape = setting(case, name)
    handed = iter(case["noise"])
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: jnp.asarray(next(handed)))
    asked = []
    with jax.disable_jit():
        ours = method(jax.random.key(0), Watched(sde=model.sde, model=model, asked=asked), measurement, shape)
    expected = case[f"{name}:out"]
    np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-10)
    states = case[f"{name}:states"]
    stride = max(1, len(asked) // 6)
    np.testing.assert_allclose(np.stack(asked)[::stride], states, rtol=1e-10, atol=1e-10)
    assert len(case["noise"]) - sum(1 for _ in handed) == case[f"{name}:draws"]


def test_compiled_it_gives_finite_draws_and_another_y_does_not_compile_again(case):
    method, model, measurement, shape = setting(case, CASES[0])
    traced = []

    class Counted(ScoreModel):
        model: object

        def score(self, x, t, cond=None, *, key=None):
            traced.append(1)
            return self.model.score(x, t, cond)

    counted = Counted(sde=model.sde, model=model)
    first = method(jax.random.key(0), counted, measurement, shape)
    before = len(traced)
    second = method(jax.random.key(1), counted, measurement.replace(y=measurement.y + 0.1), shape)
    assert len(traced) == before
    assert np.all(np.isfinite(first))
    assert np.any(np.asarray(first) != np.asarray(second))


def test_mistakes_are_named(case):
    method, model, measurement, shape = setting(case, CASES[0])
    noisy = measurement.replace(noise=GaussianNoise(std=0.1))
    with pytest.raises(InputError, match=r"std = 0\.1: expected 0.*; use Replacement"):
        method(jax.random.key(0), model, noisy, shape)
    whole = Measurement(y=jnp.zeros(shape), operator=Identity(shape=shape[1:]), noise=GaussianNoise(std=0.0))
    with pytest.raises(InputError, match="OriginalInpainting for operator = 'Identity': expected a Mask"):
        method(jax.random.key(0), model, whole, shape)
    with pytest.raises(InputError, match="expected a Colorization of three channels"):
        OriginalColorization(sampler=method.sampler)(jax.random.key(0), model, measurement, shape)
