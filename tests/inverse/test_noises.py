"""Laws of noises against scipy.stats, and draws against their laws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from linear_operators import numbers
from walk import concrete_subclasses

from score_sde.errors import InputError
from score_sde.inverse import Measurement, Noise
from score_sde.inverse.noises import GaussianNoise, PoissonGaussianNoise, PoissonNoise
from score_sde.inverse.operators import AveragePooling

KEY = jax.random.key(0)
SHAPE = (3, 4, 2)
CASES = {
    "GaussianNoise": lambda: GaussianNoise(std=0.3),
    "PoissonNoise": lambda: PoissonNoise(peak=20.0),
    "PoissonGaussianNoise": lambda: PoissonGaussianNoise(peak=20.0, std=0.1),
}


def clean(batch=2):
    return np.random.default_rng(0).uniform(-0.9, 0.9, (batch, *SHAPE))


def test_every_noise_is_here():
    assert {cls.__name__ for cls in concrete_subclasses(Noise, "score_sde.inverse")} == set(CASES)


@pytest.mark.usefixtures("x64")
def test_the_normal_density_is_that_of_scipy():
    y, x = numbers(2, *SHAPE), clean()
    expected = scipy.stats.norm(x, 0.3).logpdf(y).reshape(2, -1).sum(axis=1)
    found = GaussianNoise(std=0.3).log_prob(y, x)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.abs(GaussianNoise(std=0.315).log_prob(y, x) - expected).max() > 1
    one = GaussianNoise(std=0.3).log_prob(y[:1], x)  # one measurement for all examples
    np.testing.assert_allclose(one[0], expected[0], rtol=1e-12)


@pytest.mark.usefixtures("x64")
def test_probabilities_of_counts_are_those_of_scipy():
    noise, x = PoissonNoise(peak=20.0, low=-1.0, high=1.0), clean()
    y = np.asarray(noise.sample(KEY, x))
    counts = np.round(10 * (y + 1))
    np.testing.assert_allclose(10 * (y + 1), counts, atol=1e-12)
    expected = scipy.stats.poisson(10 * (x + 1)).logpmf(counts).reshape(2, -1).sum(axis=1)
    np.testing.assert_allclose(noise.log_prob(y, x), expected, rtol=1e-10)
    assert np.abs(np.asarray(PoissonNoise(peak=21.0).log_prob(y, x)) - expected).max() > 0.1


@pytest.mark.usefixtures("x64")
def test_the_density_of_mixed_noise_is_near_the_sum_over_counts():
    """The mean of log p(y | clean) over y, at 800 counts, against scipy.stats: all counts and their laws."""
    noise, x = PoissonGaussianNoise(peak=800.0, std=0.1), np.full((1, 4), 0.5)
    gain, rate, k = 2 / 800, 600.0, np.arange(300, 900)
    y = np.asarray(noise.sample(KEY, np.full((4000, 1), 0.5)))
    parts = scipy.stats.poisson(rate).pmf(k) * scipy.stats.norm(-1 + gain * k, 0.1).pdf(y)
    exact = np.log(parts.sum(axis=1)).mean()
    found = [float(np.mean(noise.replace(std=std).log_prob(y, x[:, :1]))) for std in (0.1, 0.105)]
    assert found[0] == pytest.approx(exact, abs=1e-4)
    assert abs(found[1] - exact) > 5e-4


def standardised(noise, x, draws=4000):
    """(y - mean) / sqrt(variance), by the variance that the noise reports of y itself."""
    y = jax.vmap(lambda key: noise.sample(key, x))(jax.random.split(KEY, draws))
    return np.asarray(y), np.asarray((y - x) / jnp.sqrt(noise.variance(y)))


@pytest.mark.parametrize("name", CASES)
def test_draws_have_the_mean_and_the_variance_they_claim(name):
    """4000 draws of 48 values: means to 5 standard errors, variances to a few per cent."""
    x = jnp.asarray(clean() if name == "GaussianNoise" else 0.5 * clean() + 0.4, jnp.float32)
    noise = CASES[name]().replace(**({} if name == "GaussianNoise" else {"peak": 400.0}))
    y, scaled = standardised(noise, x)
    error = np.sqrt(y.var(axis=0) / len(y))
    assert np.abs((y.mean(axis=0) - x) / error).max() < 5
    assert np.abs((1.05 * y.mean(axis=0) - x) / error).max() > 5
    assert abs(scaled.var() - 1) < 0.03
    assert abs((1.05 * scaled).var() - 1) > 0.03


def test_dark_and_impossible_pixels_stay_finite():
    noise, x = PoissonNoise(peak=5.0), jnp.full((1, *SHAPE), -1.5)
    y = jnp.zeros((1, *SHAPE))
    value, slope = jax.value_and_grad(lambda x: noise.log_prob(y, x)[0])(x)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()
    assert float(noise.variance(noise.sample(KEY, x)).min()) == pytest.approx((2 / 5) ** 2)


@pytest.mark.parametrize("name", CASES)
def test_a_measurement_is_compiled_once(name):
    operator, noise = AveragePooling(shape=(4, 6, 1), factor=2), CASES[name]()
    x = jnp.asarray(np.random.default_rng(1).uniform(-0.9, 0.9, (2, 4, 6, 1)), jnp.float32)
    traced = []

    @jax.jit
    def likelihood(measurement, x):
        traced.append(None)
        return measurement.log_likelihood(x), measurement.residual(x)

    for seed in (1, 2):
        measurement = Measurement.of(jax.random.key(seed), x, operator=operator, noise=noise)
        value, residual = likelihood(measurement, x)
        assert residual.shape == (2, 2, 3, 1)
        np.testing.assert_allclose(value, noise.log_prob(measurement.y, operator(x)), rtol=1e-5)
    assert len(traced) == 1


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: GaussianNoise(std=-0.1), "GaussianNoise.std = -0.1: expected a number not below 0"),
        (lambda: GaussianNoise(std=float("nan")), "GaussianNoise.std"),
        (lambda: GaussianNoise(std="a"), "GaussianNoise.std = 'a': expected a number"),
        (lambda: PoissonNoise(peak=0.0), "PoissonNoise.peak = 0.0: expected a positive number of counts"),
        (lambda: PoissonNoise(low=1.0), "PoissonNoise.high = 1.0: expected more than low"),
        (lambda: PoissonGaussianNoise(peak=-1.0), "PoissonGaussianNoise.peak = -1.0: expected a positive"),
        (lambda: PoissonGaussianNoise(std=0.0), "use PoissonNoise"),
    ],
)
def test_mistakes_are_told(build, words):
    with pytest.raises(InputError, match=words):
        build()
