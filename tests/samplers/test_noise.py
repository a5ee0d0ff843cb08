"""One key, one Brownian path: its law, and that a sampler follows it at every number of steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, samplers, sdes
from score_sde.samplers.noise import Increment

KEY = jax.random.key(0)


@jax.jit
def increments(ends, like):
    """Of one path, between the ends that follow one another."""
    each = jax.vmap(lambda a, b: Increment(key=KEY, begin=a, end=b).normal_like(like))
    return each(ends[:-1], ends[1:])


def test_increments_are_standard_normal_and_independent():
    """Over any range of q, infinite ends included, in float32, in standard errors."""
    ends = jnp.array([-jnp.inf, -30.0, -3.1, -3.0, 0.0, 0.01, 5.0, 5.005, 40.0, jnp.inf])
    z = np.asarray(increments(ends, jnp.zeros((20_000, 1))))[:-1, :, 0]
    n = z.shape[1]
    assert np.all(np.abs(z.mean(axis=1)) < 4 / np.sqrt(n))
    np.testing.assert_allclose(z.std(axis=1), 1, atol=4 / np.sqrt(2 * n))
    assert np.abs(np.corrcoef(z) - np.eye(len(z))).max() < 4.5 / np.sqrt(n)


def test_increments_add_up(x64):
    """B(c) - B(a) = B(c) - B(b) + B(b) - B(a), whatever lies between."""
    like = jnp.zeros((3, 2))

    def moved(a, b):
        z = increments(jnp.array([a, b]), like)[0]
        return np.asarray(z) * np.sqrt(np.exp(b) - np.exp(a))

    whole = moved(-1.0, 6.3)
    for middle in (-0.99, 2.0, 6.0):
        np.testing.assert_allclose(moved(-1.0, middle) + moved(middle, 6.3), whole, rtol=1e-9)
    assert np.abs(whole - moved(-1.0, 6.29)).max() > 1e-3


def test_another_key_is_another_path():
    ends = {"begin": jnp.zeros(()), "end": jnp.ones(())}
    paths = (Increment(key=jax.random.key(seed), **ends).normal_like(jnp.zeros((2, 2))) for seed in (0, 1))
    a, b = (np.asarray(each) for each in paths)
    assert np.all(a != b)


def model(sde):
    means = np.array([[-2.0, -1.0], [1.5, 0.5], [0.0, 2.0]])
    return denoisers.IsotropicMixture(sde=sde, weights=[0.5, 0.3, 0.2], means=means, stds=0.6)


def drawn(predictor, n_steps, noise, sde):
    sampler = samplers.Sampler(
        predictor=predictor, grid=samplers.LogSNR(sigma_min=0.01), n_steps=n_steps, noise=noise
    )
    return np.asarray(sampler(KEY, model(sde), (100, 2)))


@pytest.mark.parametrize("sde", [sdes.VP(), sdes.RectifiedFlow()], ids=lambda sde: type(sde).__name__)
def test_more_steps_near_the_same_samples(sde):
    """Along a path the result converges, from alpha(T) = 0 too; with fresh noise it does not."""
    path = samplers.BrownianPath()
    fine = drawn(samplers.SASolver(), 512, path, sde)
    apart = [np.median(np.abs(drawn(samplers.SASolver(), n, path, sde) - fine)) for n in (16, 128)]
    assert apart[1] < apart[0] / 3
    assert apart[1] < 0.02
    fresh = drawn(samplers.SASolver(), 128, samplers.FreshNoise(), sde)
    assert np.median(np.abs(fresh - fine)) > 0.3


def test_predictors_of_one_clock_have_one_limit():
    """Ancestral steps and stochastic Adams steps solve the same equation along the same path."""
    path, sde = samplers.BrownianPath(), sdes.VP()
    ends = [drawn(predictor, 512, path, sde) for predictor in (samplers.Ancestral(), samplers.SASolver())]
    assert np.median(np.abs(ends[0] - ends[1])) < 0.03


def test_fresh_noise_is_the_default():
    expected = drawn(samplers.Ancestral(), 8, samplers.FreshNoise(), sdes.VP())
    sampler = samplers.Sampler(
        predictor=samplers.Ancestral(), grid=samplers.LogSNR(sigma_min=0.01), n_steps=8
    )
    np.testing.assert_array_equal(sampler(KEY, model(sdes.VP()), (100, 2)), expected)
