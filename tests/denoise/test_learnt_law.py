"""The law of clean data from noisy data alone, against the law that they were drawn from."""

import jax.numpy as jnp
import numpy as np
import pytest

from experiments.denoise.mixtures import law, posterior_mean
from score_sde.denoise import learnt_mixture, mmse
from score_sde.errors import InputError

STD = 0.3


def noisy(count, seed):
    rng = np.random.default_rng(seed)
    mixture = law()
    weights = np.asarray(mixture.weights, np.float64)
    which = rng.choice(len(weights), count, p=weights / weights.sum())
    roots = np.linalg.cholesky(np.asarray(mixture.covariances, np.float64))
    clean = np.asarray(mixture.means, np.float64)[which]
    clean = clean + np.einsum("nij,nj->ni", roots[which], rng.normal(size=clean.shape))
    return clean, clean + STD * rng.normal(size=clean.shape)


def gap(model, clean, y):
    """Decibels above the least squared error."""
    found = np.asarray(mmse(model, jnp.asarray(y, jnp.float32), STD))
    least = np.mean((posterior_mean(law(), y, STD) - clean) ** 2)
    return 10 * np.log10(np.mean((found - clean) ** 2) / least)


def test_noisy_draws_are_enough():
    """Of five components from 20,000 noisy draws: on other draws within 0.1 dB of the posterior mean."""
    clean, y = noisy(5000, 1)
    found = learnt_mixture(noisy(20000, 0)[1], STD, components=5)
    assert -0.02 < gap(found, clean, y) < 0.1
    again = learnt_mixture(noisy(20000, 0)[1], STD, components=5, start=found, rounds=1)
    np.testing.assert_allclose(again.means, found.means, atol=0.02)  # where it was


def test_one_component_is_the_best_linear_estimate():
    """Covariance of the noisy draws less the noise; directions without signal are left with next to none."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(50000, 2)) * [2.0, 0.0] + STD * rng.normal(size=(50000, 2)) + [1.0, -1.0]
    found = learnt_mixture(y, STD)
    np.testing.assert_allclose(found.means, [[1.0, -1.0]], atol=0.02)
    np.testing.assert_allclose(found.covariances[0], np.diag([4.0, 0.0]), atol=0.06)
    assert float(found.covariances[0, 1, 1]) > 0


def test_mistakes_are_told():
    for y, components, words in (
        (np.zeros((5, 8)), 1, "at least 9 examples"),
        (np.zeros((50, 2)), 0, "a positive count"),
        (np.full((50, 2), np.nan), 1, "finite numbers"),
    ):
        with pytest.raises(InputError, match=words):
            learnt_mixture(y, STD, components=components)
