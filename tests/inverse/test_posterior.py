"""Posteriors in closed form against conditioning of the joint normal law, by numpy in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from score_sde.denoisers import Gaussian, GaussianMixture, IsotropicMixture
from score_sde.errors import InputError
from score_sde.inverse import Dense, GaussianNoise, Measurement, PoissonNoise, log_evidence, posterior
from score_sde.sdes import VP

MATRIX = np.array([[1.0, 0.5, 0.2], [0.3, -1.0, 0.4]])
STD, Y = 0.3, np.array([1.0, -0.5])
WEIGHTS = np.array([0.7, 0.3])
MEANS = np.array([[-1.0, 0.0, 0.5], [1.0, 0.5, 2.0]])
ROOTS = np.random.default_rng(0).normal(size=(2, 3, 3))
COVARIANCES = ROOTS @ ROOTS.transpose(0, 2, 1)


def measurement(**changes):
    parts = {"y": jnp.asarray(Y)[None], "operator": Dense(matrix=MATRIX), "noise": GaussianNoise(std=STD)}
    return Measurement(**(parts | changes))


def conditioned(mean, covariance):
    """Blocks of the precision of (x, y): x | y has the precision's x block, by its inverse."""
    noise = np.eye(2) / STD**2
    precision = np.linalg.inv(covariance) + MATRIX.T @ noise @ MATRIX
    right = np.linalg.inv(covariance) @ mean + MATRIX.T @ noise @ Y
    return np.linalg.solve(precision, right), np.linalg.inv(precision)


def densities(covariances):
    return np.array(
        [
            multivariate_normal.pdf(Y, MATRIX @ mean, MATRIX @ covariance @ MATRIX.T + STD**2 * np.eye(2))
            for mean, covariance in zip(MEANS, covariances, strict=True)
        ]
    )


def test_a_mixture_has_the_posterior_of_bayes_rule(x64):
    prior = GaussianMixture(sde=VP(), weights=WEIGHTS, means=MEANS, covariances=COVARIANCES)
    found = posterior(prior, measurement())
    joint = WEIGHTS * densities(COVARIANCES)
    np.testing.assert_allclose(found.weights, joint / joint.sum(), rtol=1e-9)
    np.testing.assert_allclose(log_evidence(prior, measurement()), np.log(joint.sum()), rtol=1e-9)
    for k in range(2):
        mean, covariance = conditioned(MEANS[k], COVARIANCES[k])
        np.testing.assert_allclose(found.means[k], mean, rtol=1e-9)
        np.testing.assert_allclose(found.covariances[k], covariance, rtol=1e-8, atol=1e-10)


def test_a_gaussian_is_a_mixture_of_one(x64):
    prior = Gaussian(sde=VP(), mean=jnp.asarray(MEANS[0]), covariance=jnp.asarray(COVARIANCES[0]))
    found = posterior(prior, measurement())
    np.testing.assert_allclose(found.means[0], conditioned(MEANS[0], COVARIANCES[0])[0], rtol=1e-9)
    np.testing.assert_allclose(
        log_evidence(prior, measurement()), np.log(densities(COVARIANCES)[0]), rtol=1e-9
    )


def test_a_round_mixture_has_the_same_posterior_and_draws_of_it(x64):
    """Moments of draws within 5 standard errors of the general mixture's; a shift of 5 % is 11 of them."""
    parts = {"sde": VP(), "weights": WEIGHTS, "means": MEANS, "stds": np.array([0.8, 1.3])}
    round_one = posterior(IsotropicMixture(**parts), measurement())
    general = posterior(GaussianMixture.isotropic(**parts), measurement())
    np.testing.assert_allclose(round_one.weights, general.weights, rtol=1e-9)
    np.testing.assert_allclose(round_one.means, general.means, rtol=1e-9)
    np.testing.assert_allclose(
        log_evidence(IsotropicMixture(**parts), measurement()),
        log_evidence(GaussianMixture.isotropic(**parts), measurement()),
    )
    x = np.asarray(round_one.sample(jax.random.key(0), 50000))
    mean = general.weights @ general.means
    np.testing.assert_allclose(round_one.mean, mean, rtol=1e-9)
    offsets = general.means - mean
    covariance = np.einsum("k,kij->ij", general.weights, general.covariances)
    covariance = covariance + np.einsum("k,ki,kj->ij", general.weights, offsets, offsets)
    stds = np.sqrt(np.diag(covariance))
    assert np.all(np.abs(x.mean(axis=0) - mean) < 5 * stds / np.sqrt(50000))
    np.testing.assert_allclose(
        np.cov(x.T) / np.outer(stds, stds), covariance / np.outer(stds, stds), atol=0.04
    )


def test_what_y_excludes_stays_a_mixture():
    prior = GaussianMixture(sde=VP(), weights=WEIGHTS, means=1e3 * MEANS, covariances=COVARIANCES)
    found = posterior(prior, measurement())
    assert np.all(np.isfinite(found.sample(jax.random.key(0), 10)))


def test_whole_numbers_keep_their_noise():
    """N(0, 1) seen as 1 with noise of 0.5: mean 0.8 and variance 0.2, whatever the type of y."""
    prior = Gaussian(sde=VP(), mean=np.zeros(1), covariance=np.eye(1))
    operator = Dense(matrix=[[1.0]], shape=(1,))
    seen = Measurement(y=jnp.array([[1]]), operator=operator, noise=GaussianNoise(std=0.5))
    found = posterior(prior, seen)
    np.testing.assert_allclose(np.ravel(found.means), 0.8, rtol=1e-6)
    np.testing.assert_allclose(np.ravel(found.covariances), 0.2, rtol=1e-6)
    np.testing.assert_allclose(log_evidence(prior, seen), norm(0, 1.25**0.5).logpdf(1), rtol=1e-6)
    assert GaussianNoise(std=0.5).variance(jnp.array([1])) == 0.25


def test_mistakes_are_named():
    prior = IsotropicMixture(sde=VP(), weights=WEIGHTS, means=MEANS)
    with pytest.raises(InputError, match="GaussianNoise"):
        posterior(prior, measurement(noise=PoissonNoise(peak=10.0)))
    with pytest.raises(InputError, match="one measurement"):
        log_evidence(prior, measurement(y=jnp.ones((2, 2))))
    with pytest.raises(InputError, match="closed form"):
        posterior(VP(), measurement())
