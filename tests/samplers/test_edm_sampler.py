"""EDM's sampler on recorded noise: ``generate.py`` of NVlabs/edm on an exact mixture of Gaussians."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import arrays, denoisers, samplers, sdes
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")

RUNS = {  # churn, s_min, s_max, s_noise; rho, sigma_min, sigma_max of the grid; steps
    "heun18": ((0.0, 0.0, np.inf, 1.0), (7.0, 0.002, 80.0), 18),
    "heun8_rho5": ((0.0, 0.0, np.inf, 1.0), (5.0, 0.01, 40.0), 8),
    "churn18": ((40.0, 0.05, 50.0, 1.003), (7.0, 0.002, 80.0), 18),
    "churn32_all": ((30.0, 0.0, np.inf, 1.007), (7.0, 0.002, 80.0), 32),
}


@pytest.fixture(scope="module")
def recorded(reference_data):
    return np.load(reference_data / "edm_sampler.npz")


@pytest.fixture
def recorded_noise(monkeypatch, recorded):
    """Step i is given the i-th recorded noise: the key of a step holds its number."""
    z = jnp.asarray(recorded["z"])
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: z[key].astype(x.dtype))


def mixture(recorded, sde):
    means, stds = recorded["g3_mu"], recorded["g3_s"]
    dimensions = means[0].size
    return denoisers.GaussianMixture(
        sde=sde,
        weights=recorded["g3_w"],
        means=means,
        covariances=np.square(stds)[:, None, None] * np.eye(dimensions),
    )


def run(recorded, name, sde, dtype=float, **changed):
    """All steps by hand, with the number of the step in place of its key; states in x / alpha."""
    (churn, low, high, noise), (rho, least, most), n = RUNS[name]
    options = {"churn": churn, "s_min": low, "s_max": high, "s_noise": noise, "N": n, **changed}
    predictor, model = samplers.ChurnedHeun(**options), mixture(recorded, sde)
    grid = samplers.ToZero(grid=samplers.Karras(sigma_min=least, sigma_max=most, rho=rho))
    start = sde.time_at_log_snr(jnp.asarray(-2 * np.log(most)))
    times = grid(sde, n, start)
    x = sde.alpha(start) * most * jnp.asarray(recorded["latents"], dtype)

    def advance(x, interval):
        i, t, s = interval
        x = predictor.step(i, model, x, t, s).x.astype(dtype)
        return x, x / sde.alpha(s)

    return jax.jit(lambda x: jax.lax.scan(advance, x, (jnp.arange(n), times[:-1], times[1:])))(x)[1]


@pytest.mark.parametrize("name", RUNS)
def test_the_samples_are_edms(recorded, recorded_noise, name):
    out = recorded[f"{name}_out"]
    np.testing.assert_allclose(run(recorded, name, sdes.EDM())[-1], out, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", ["heun18", "churn18"])
def test_another_process_gives_the_same_samples(recorded, recorded_noise, name):
    """The steps are those of x / alpha, whatever alpha is."""
    out = recorded[f"{name}_out"]
    sde = sdes.VP(beta_max=30.0)
    np.testing.assert_allclose(run(recorded, name, sde)[-1], out, rtol=1e-6, atol=1e-7)


def test_the_sampler_composes(recorded, monkeypatch):
    """The scan of the driver takes the same steps: with one noise for all keys nothing depends on them."""
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: jnp.ones_like(x))
    sde, n = sdes.EDM(), 12
    predictor = samplers.ChurnedHeun(churn=5.0, N=n)
    sampler = samplers.Sampler(predictor=predictor, grid=samplers.ToZero(), n_steps=n)
    model, x = mixture(recorded, sde), 80.0 * jnp.asarray(recorded["latents"])
    times = samplers.ToZero()(sde, n)
    expected = x
    step = jax.jit(lambda x, t, s: predictor.step(jax.random.key(0), model, x, t, s).x)
    for t, s in itertools.pairwise(times):
        expected = step(expected, t, s)
    sample = sampler(jax.random.key(0), model, x.shape, x=x, t=80.0)
    np.testing.assert_allclose(sample, expected, rtol=1e-9, atol=1e-10)
    assert sampler.evaluations == 2 * n


def test_a_small_mistake_would_be_seen(recorded, recorded_noise):
    """Five percent more churn, or noise, moves the samples far beyond the tolerance."""
    out = recorded["churn18_out"]
    for changed in ({"churn": 42.0}, {"s_noise": 1.05}):
        # S_churn 40 in 18 steps is cut at sqrt(2) - 1, and so is 42: there the samples are the same
        moved = np.max(np.abs(run(recorded, "churn18", sdes.EDM(), **changed)[-1] - out))
        assert (moved > 1e-3) == ("s_noise" in changed)


def test_mistakes():
    with pytest.raises(InputError, match=r"ChurnedHeun\.N"):
        samplers.Sampler(predictor=samplers.ChurnedHeun(N=18), n_steps=20)
    with pytest.raises(InputError, match=r"ChurnedHeun\.churn"):
        samplers.ChurnedHeun(churn=-1.0)
