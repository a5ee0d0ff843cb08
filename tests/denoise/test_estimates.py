"""The estimate of least squared error and posterior draws against Wiener's filter and numpy's posteriors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.denoise import (
    FromNoisy,
    estimated_risk,
    matched_time,
    mmse,
    posterior_draws,
    posterior_draws_given,
)
from score_sde.denoisers import Gaussian, GaussianMixture
from score_sde.divergence import ExactDivergence
from score_sde.errors import InputError
from score_sde.inverse import PoissonGaussianNoise
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.sdes import EDM, VE, VP, RectifiedFlow, SubVP

SDES = {cls.__name__: cls() for cls in (VP, VE, SubVP, RectifiedFlow, EDM)}
RNG = np.random.default_rng(0)
MEAN = RNG.normal(size=3)
FACTOR = RNG.normal(size=(3, 3))
COVARIANCE = 0.3 * FACTOR @ FACTOR.T + 0.05 * np.eye(3)
STD = 0.5


def noisy(n, std=STD, seed=1):
    rng = np.random.default_rng(seed)
    clean = rng.multivariate_normal(MEAN, COVARIANCE, n)
    return clean, clean + std * rng.normal(size=clean.shape)


def wiener(y, std=STD):
    gain = COVARIANCE @ np.linalg.inv(COVARIANCE + std**2 * np.eye(3))
    return MEAN + (y - MEAN) @ gain.T, COVARIANCE - gain @ COVARIANCE


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", SDES)
def test_the_estimate_is_wieners_filter(name):
    model = Gaussian(sde=SDES[name], mean=MEAN, covariance=COVARIANCE)
    _, y = noisy(50)
    np.testing.assert_allclose(mmse(model, y, STD), wiener(y)[0], atol=1e-5)
    assert np.abs(mmse(model, y, 1.05 * STD) - wiener(y)[0]).max() > 1e-2
    stds = np.linspace(0.1, 0.9, 50)  # of each example its own
    expected = np.concatenate([wiener(row[None], std)[0] for row, std in zip(y, stds, strict=True)])
    np.testing.assert_allclose(mmse(model, y, stds), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["RectifiedFlow"])
def test_draws_have_the_mean_and_covariance_of_the_posterior(name):
    """20,000 draws given one y: the mean to 0.03 of its deviation, the covariance to 4.5 %."""
    model = Gaussian(sde=SDES[name], mean=MEAN, covariance=COVARIANCE)
    _, y = noisy(1)
    mean, covariance = wiener(y)
    rows = jnp.asarray(np.repeat(y, 20000, axis=0), jnp.float32)
    sampler = SAMPLER.replace(n_steps=400)  # of 200 the variance is 5 % too small
    draws = np.asarray(posterior_draws(jax.random.key(0), model, rows, STD, sampler=sampler))
    root = np.linalg.inv(np.linalg.cholesky(covariance))
    assert np.abs(root @ (draws.mean(axis=0) - mean[0])).max() < 0.03
    np.testing.assert_allclose(np.cov(root @ draws.T), np.eye(3), atol=0.045)
    assert np.abs(np.cov(1.05 * root @ draws.T) - np.eye(3)).max() > 0.045


def test_draws_given_other_noise():
    """By TMPD's equations, exact for normal data: mixed noise of so many counts that it hardly varies."""
    model = Gaussian(sde=VP(), mean=0.1 * MEAN, covariance=0.01 * COVARIANCE)
    y = jnp.asarray(np.repeat(noisy(1)[1] * 0.1, 4000, axis=0), jnp.float32)
    gain = COVARIANCE @ np.linalg.inv(COVARIANCE + 0.25 * np.eye(3))
    expected = 0.1 * MEAN + gain @ (np.asarray(y[0]) - 0.1 * MEAN)
    spread = np.sqrt(np.diag(0.01 * (COVARIANCE - gain @ COVARIANCE)))
    noise = PoissonGaussianNoise(peak=1e6, std=0.05)
    draws = np.asarray(posterior_draws_given(jax.random.key(1), model, y, noise))
    assert np.abs((draws.mean(axis=0) - expected) / spread).max() < 0.1
    np.testing.assert_allclose(draws.std(axis=0), spread, rtol=0.08)


def mixture(sde, more=0.0):
    """Three normal laws in four dimensions, with noise of variance ``more``."""
    rng = np.random.default_rng(3)
    means, factors = rng.normal(size=(3, 4)), 0.4 * rng.normal(size=(3, 4, 4))
    covariances = factors @ factors.swapaxes(1, 2) + (0.02 + more) * np.eye(4)
    return GaussianMixture(sde=sde, weights=np.array([0.5, 0.3, 0.2]), means=means, covariances=covariances)


def posterior_mean(law, y, std):
    """E[x_0 | y] of a mixture, written out in numpy."""
    means, covariances = np.asarray(law.means, np.float64), np.asarray(law.covariances, np.float64)
    logs, estimates = [], []
    for weight, mean, covariance in zip(np.asarray(law.weights, np.float64), means, covariances, strict=True):
        total = covariance + std**2 * np.eye(len(mean))
        solved = np.linalg.solve(total, (y - mean).T).T
        half = 0.5 * np.linalg.slogdet(2 * np.pi * total)[1]
        logs.append(np.log(weight) - half - 0.5 * np.sum((y - mean) * solved, axis=1))
        estimates.append(mean + solved @ covariance)
    shares = np.exp(logs - np.max(logs, axis=0))
    shares /= shares.sum(axis=0)
    return np.einsum("kn,knd->nd", shares, estimates)


@pytest.mark.parametrize("name", ["VP"])
def test_the_gap_to_the_least_error_on_mixtures(name):
    """The estimate's mean squared error on 20,000 draws, the posterior mean's on 20,000 others: 0.1 dB."""
    law, std = mixture(SDES[name]), 0.4
    clean = np.asarray(law.sample(jax.random.key(0), 40000), np.float64)
    y = clean + std * np.random.default_rng(4).normal(size=clean.shape)
    least = np.mean((posterior_mean(law, y[20000:], std) - clean[20000:]) ** 2)
    error = np.mean((np.asarray(mmse(law, jnp.asarray(y[:20000], jnp.float32), std)) - clean[:20000]) ** 2)
    assert abs(10 * np.log10(error / least)) < 0.1
    assert 10 * np.log10(std**2 / least) > 1  # there is something to gain


@pytest.mark.usefixtures("x64")
def test_a_model_of_noisy_data_knows_the_clean_ones():
    """The exact law of noisy data, at times with more noise than they have: the posterior mean of numpy."""
    std = 0.3
    y = np.random.default_rng(5).normal(size=(40, 4))
    for sde in (VP(), VE()):
        model = FromNoisy.of(mixture(sde, std**2), std)
        for total in (0.4, 3.0):
            expected = posterior_mean(mixture(sde), y, total)
            np.testing.assert_allclose(mmse(model, y, total), expected, atol=1e-5)
        # At the noise of the data themselves the score is that of a little more noise: a tenth of it.
        near = posterior_mean(mixture(sde), y, std)
        assert np.abs(mmse(model, y, std) - near).mean() < 0.02 * np.abs(y - near).mean()
    assert np.abs(mmse(FromNoisy.of(mixture(sde, std**2), 1.05 * std), y, total) - expected).max() > 1e-3


def test_the_risk_is_known_without_the_clean_data():
    model = Gaussian(sde=VP(), mean=MEAN, covariance=COVARIANCE)
    clean, y = noisy(20000)
    y = jnp.asarray(y, jnp.float32)

    def shrunk(y):
        return 0.8 * mmse(model, y, STD)  # not the best estimate: its risk is larger

    denoised, risks = estimated_risk(jax.random.key(0), shrunk, y, STD, divergence=ExactDivergence())
    true = np.mean((np.asarray(denoised) - clean) ** 2)
    assert float(jnp.mean(risks)) == pytest.approx(true, rel=0.03)
    random = estimated_risk(jax.random.key(0), shrunk, y, STD)[1]
    assert float(jnp.mean(random)) == pytest.approx(true, rel=0.03)
    assert float(jnp.mean(estimated_risk(jax.random.key(0), shrunk, y, 1.1 * STD)[1])) != pytest.approx(
        true, rel=0.03
    )


def test_inside_compiled_functions():
    """With a number, and with one that is traced; a mistake in a number is told there as well."""
    model = Gaussian(sde=VP(), mean=MEAN, covariance=COVARIANCE)
    y = jnp.asarray(noisy(4)[1], jnp.float32)
    expected = mmse(model, y, STD)
    np.testing.assert_allclose(jax.jit(lambda y: mmse(model, y, STD))(y), expected, rtol=1e-5)
    np.testing.assert_allclose(jax.jit(mmse)(model, y, STD), expected, rtol=1e-5)
    with pytest.raises(InputError, match="std of the noise"):
        jax.jit(lambda y: mmse(model, y, 500.0))(y)


def test_noise_that_no_time_has_is_told():
    assert float(matched_time(EDM(), 0.5)) == pytest.approx(0.5, rel=1e-5)
    for sde, std in ((VE(), 500.0), (VP(), 1e-9), (EDM(), 0.0), (VP(), float("nan")), (EDM(), -1.0)):
        if sde.sigma(0.0) > 0 or std != 1e-9:
            with pytest.raises(InputError, match="std of the noise"):
                matched_time(sde, std)
