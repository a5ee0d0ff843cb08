"""Resampling: counts, their mean, effective numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.inverse.particles import effective_sample_size, normalized, systematic

WEIGHTS = np.array([0.5, 0.05, 0.0, 0.31, 0.14])


def counts(key, n):
    picked = systematic(key, jnp.log(WEIGHTS), n)
    return jnp.bincount(picked, length=len(WEIGHTS))


@pytest.mark.parametrize("n", [1, 5, 12])
def test_systematic_counts_are_the_expected_ones_rounded_up_or_down(n):
    found = np.asarray(jax.vmap(lambda key: counts(key, n))(jax.random.split(jax.random.key(0), 4000)))
    assert np.all(found.sum(axis=1) == n)
    assert np.all(np.abs(found - n * WEIGHTS) < 1 + 1e-5)
    errors = found.mean(axis=0) - n * WEIGHTS
    assert np.all(np.abs(errors) <= 4.5 * found.std(axis=0) / np.sqrt(len(found)) + 1e-6)
    assert np.all(found[:, 2] == 0)


def test_equal_weights_keep_everyone():
    picked = systematic(jax.random.key(3), jnp.zeros(100), 100)
    np.testing.assert_array_equal(picked, np.arange(100))


def test_effective_sample_size():
    np.testing.assert_allclose(effective_sample_size(jnp.full(50, 7.0)), 50, rtol=1e-5)
    np.testing.assert_allclose(effective_sample_size(jnp.log(WEIGHTS)), 1 / np.sum(WEIGHTS**2), rtol=1e-5)
    one = jnp.where(jnp.arange(50) == 3, 0.0, -jnp.inf)
    np.testing.assert_allclose(effective_sample_size(one), 1, rtol=1e-6)


def test_normalized_weights_and_their_sum():
    log_weights, total = normalized(jnp.log(jnp.array([2.0, 6.0])) - 400.0)
    np.testing.assert_allclose(jnp.exp(log_weights), [0.25, 0.75], rtol=1e-4)
    np.testing.assert_allclose(total, np.log(8) - 400, rtol=1e-6)


def test_lost_particles_have_no_weight_and_a_lost_cloud_goes_on():
    log_weights, _ = normalized(jnp.array([0.0, jnp.nan]))
    np.testing.assert_array_equal(jnp.exp(log_weights), [1, 0])
    log_weights, total = normalized(jnp.array([-jnp.inf, jnp.nan]))
    np.testing.assert_allclose(jnp.exp(log_weights), [0.5, 0.5])
    assert total == -jnp.inf
