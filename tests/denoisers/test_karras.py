"""EDM's preconditionings round a network that is a formula: numbers made by NVlabs/edm in float64."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import arrays, denoisers, samplers, sdes

pytestmark = pytest.mark.usefixtures("x64")

KINDS = {
    "VPPrecond": denoisers.VPPrecondition(),
    "VEPrecond": denoisers.VEPrecondition(),
    "iDDPMPrecond": denoisers.IDDPMPrecondition(),
    "EDMPrecond": denoisers.EDMPrecondition(),
}
PROCESSES = [sdes.EDM(), sdes.VP(), sdes.VE(sigma_max=100.0)]


@pytest.fixture(scope="module")
def recorded(reference_data):
    return np.load(reference_data / "edm_preconditionings.npz")


def network(x, labels, cond=None, *, key=None):
    return 0.6 * x + 0.3 * jnp.sin(2 * x) + 0.1 * jnp.cos(0.7 * labels)[:, None, None, None]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "sde", [sdes.EDM(), sdes.VP(), sdes.VE(sigma_max=100.0)], ids=lambda s: type(s).__name__
)
def test_denoised_and_labels(recorded, name, sde):
    """In x / alpha and sigma / alpha they are EDM's, whatever the process."""
    sigma = jnp.asarray(recorded["sigma"])
    known = sigma >= jnp.exp(-0.5 * sde.log_snr(jnp.asarray(1e-12)))  # VE starts at 0.01
    t = sde.time_at_log_snr(-2 * jnp.log(jnp.where(known, sigma, 1.0)))
    x = jnp.moveaxis(jnp.asarray(recorded["x"]), 1, -1) * sde.alpha(t)[:, None, None, None]
    model = denoisers.Preconditioned(sde=sde, network=network, precondition=KINDS[name])
    expected = np.moveaxis(recorded[name], 1, -1)
    keep = np.asarray(known)
    np.testing.assert_allclose(model(x, t)[keep], expected[keep], rtol=1e-7, atol=1e-9)
    labels = KINDS[name](sde, t).c_noise
    np.testing.assert_allclose(labels[keep], recorded[f"{name}_label"][keep], rtol=1e-7, atol=1e-12)
    assert np.sum(keep) >= 8


def test_the_table_of_iddpm(recorded):
    ratios = denoisers.iddpm_ratios()
    rows = [0, 1, 2, 10, 100, 500, 900, 998, 999, 1000]
    np.testing.assert_allclose(ratios[rows], recorded["u"], rtol=1e-12)
    rounded = samplers.IDDPMRounding()(jnp.asarray(recorded["sigma"]))
    np.testing.assert_allclose(rounded, recorded["rounded"], rtol=1e-12)


def test_labels_of_iddpm_at_the_ends():
    sde = sdes.EDM()
    labels = denoisers.IDDPMLabels()(sde, jnp.asarray([0.0, denoisers.iddpm_ratios()[999], 1e5]))
    np.testing.assert_array_equal(labels, [-1, 0, 999])


def test_a_rounded_grid_is_of_the_table_and_near():
    sde, ratios = sdes.EDM(), denoisers.iddpm_ratios()
    exact = samplers.ToZero(grid=samplers.Karras(sigma_min=ratios[-2]))
    times, near = samplers.Rounded(grid=exact)(sde, 18), exact(sde, 18)
    assert times[-1] == 0
    gaps = np.abs(np.log(ratios[:-2] / ratios[1:-1]))
    assert np.max(np.abs(np.log(times[:-1] / near[:-1]))) < 0.6 * np.max(gaps[ratios[:-2] < 100])
    assert np.max(np.min(np.abs(times[:, None] - ratios), axis=1)) < 1e-12


def test_the_churned_sampler_of_a_model_with_a_table(recorded, monkeypatch):
    """EDM's sampler of 8 steps, S_churn 2.5, on its iDDPM preconditioning: every sigma is of the table."""
    z = jnp.moveaxis(jnp.asarray(recorded["z"]), 2, -1)
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: z[key])
    sde, n, rounding = sdes.EDM(), 8, samplers.IDDPMRounding()
    model = denoisers.Preconditioned(sde=sde, network=network, precondition=KINDS["iDDPMPrecond"])
    exact = samplers.ToZero(grid=samplers.Karras(sigma_min=denoisers.iddpm_ratios()[-2]))
    times = samplers.Rounded(grid=exact, rounding=rounding)(sde, n)
    predictor = samplers.ChurnedHeun(churn=2.5, N=n, s_min=0.05, s_max=50, s_noise=1.003, rounding=rounding)
    x = times[0] * jnp.moveaxis(jnp.asarray(recorded["latents"]), 1, -1)
    step = jax.jit(lambda i, x, t, s: predictor.step(i, model, x, t, s).x)
    for i, (t, s) in enumerate(itertools.pairwise(times)):
        x = step(i, x, t, s)
    np.testing.assert_allclose(x, np.moveaxis(recorded["sample"], 1, -1), rtol=1e-8)
