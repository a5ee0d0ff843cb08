"""Filters and the smoother on a linear model, whose joint law is one normal law of all states."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from score_sde.dynamics import LinearGaussian, bootstrap_filter, ensemble_kalman_filter, kalman_smoother
from score_sde.inverse import Dense, GaussianNoise

LENGTH, STD = 6, 0.4
OBSERVE = np.array([[1.0, 0.5]])
WHEN = np.array([True, False, True, True, False, True])
SYSTEM = LinearGaussian(
    matrix=np.array([[0.9, 0.3], [-0.2, 0.8]]),
    mean=np.array([1.0, -1.0]),
    covariance=np.array([[0.5, 0.1], [0.1, 0.4]]),
    noise=0.3,
)


@pytest.fixture(scope="module")
def joint():
    """Mean and covariance of all states in a row, one after the other, by the recursion's own definition."""
    size = 2 * LENGTH
    mean, covariance = np.zeros(size), np.zeros((size, size))
    powers = [np.linalg.matrix_power(SYSTEM.matrix, k) for k in range(LENGTH)]
    sources = [SYSTEM.covariance] + [SYSTEM.noise**2 * np.eye(2)] * (LENGTH - 1)
    for i in range(LENGTH):
        mean[2 * i : 2 * i + 2] = powers[i] @ SYSTEM.mean
        for j in range(LENGTH):
            block = sum(powers[i - k] @ sources[k] @ powers[j - k].T for k in range(min(i, j) + 1))
            covariance[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = block
    return mean, covariance


@pytest.fixture(scope="module")
def seen(joint):
    states = np.random.default_rng(3).multivariate_normal(*joint).reshape(LENGTH, 2)
    y = states @ OBSERVE.T + STD * np.random.default_rng(4).normal(size=(LENGTH, 1))
    return np.where(WHEN[:, None], y, np.nan)


@pytest.fixture(scope="module")
def exact(seen):
    return kalman_smoother(SYSTEM, seen, OBSERVE, STD)


def test_the_smoother_conditions_the_joint_law(joint, seen, exact):
    mean, covariance = joint
    matrix = np.kron(np.eye(LENGTH), OBSERVE)[WHEN]
    spread = matrix @ covariance @ matrix.T + STD**2 * np.eye(WHEN.sum())
    gain = covariance @ matrix.T @ np.linalg.inv(spread)
    expected = mean + gain @ (seen[WHEN, 0] - matrix @ mean)
    left = covariance - gain @ matrix @ covariance
    np.testing.assert_allclose(exact.means.ravel(), expected, atol=1e-10)
    for k in range(LENGTH):
        np.testing.assert_allclose(
            exact.covariances[k], left[2 * k : 2 * k + 2, 2 * k : 2 * k + 2], atol=1e-10
        )
    nats = multivariate_normal(matrix @ mean, spread).logpdf(seen[WHEN, 0])
    assert exact.log_evidence == pytest.approx(nats, abs=1e-10)


def given(seen, members):
    first = SYSTEM.start(jax.random.key(7), members)
    return first, jnp.nan_to_num(jnp.asarray(seen)), jnp.asarray(WHEN), Dense(matrix=OBSERVE, shape=(2,))


def test_particles_know_the_evidence_and_the_trajectories(seen, exact):
    """20,000 particles: evidence within 0.05 nats, smoothed means and deviations within 0.05."""
    first, y, when, operator = given(seen, 20_000)
    found = bootstrap_filter(jax.random.key(0), SYSTEM, first, y, when, operator, GaussianNoise(std=STD))
    assert float(found.log_evidence) == pytest.approx(exact.log_evidence, abs=0.05)
    drawn = np.asarray(found.trajectories(jax.random.key(1), 20_000))
    np.testing.assert_allclose(drawn.mean(axis=0), exact.means, atol=0.05)
    stds = np.sqrt(np.stack([np.diag(each) for each in exact.covariances]))
    np.testing.assert_allclose(drawn.std(axis=0), stds, rtol=0.07)
    unseen = np.abs(np.asarray(first).mean(axis=0) - exact.means[0]).max()
    assert unseen > 0.1  # the test has power: the first state is moved by later observations


def test_a_large_ensemble_is_kalmans_filter(seen, exact):
    """At the last time, where filter and smoother are one."""
    first, y, when, operator = given(seen, 20_000)
    found = ensemble_kalman_filter(jax.random.key(0), SYSTEM, first, y, when, operator, STD)
    last = np.asarray(found[-1])
    np.testing.assert_allclose(last.mean(axis=0), exact.means[-1], atol=0.03)
    np.testing.assert_allclose(np.cov(last.T), exact.covariances[-1], atol=0.02)
    wider = ensemble_kalman_filter(jax.random.key(0), SYSTEM, first, y, when, operator, STD, 1.5)
    assert np.trace(np.cov(np.asarray(wider[-1]).T)) > 1.1 * np.trace(exact.covariances[-1])
