"""Densities on score norms: the mixture is scikit-learn's, the neighbours are scikit-learn's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

from score_sde import anomaly, denoisers, sdes

pytestmark = pytest.mark.usefixtures("x64")
ROWS = np.random.default_rng(0).normal([1.0, -2.0, 0.0], [0.5, 2.0, 1.0], size=(400, 3))
NEW = np.random.default_rng(1).normal(size=(30, 3))


def test_one_component_is_the_normal_law_of_the_rows():
    fitted = anomaly.MixtureOfNormals(components=1, ridge=0.0).fitted(jnp.asarray(ROWS))
    expected = -multivariate_normal(ROWS.mean(0), np.cov(ROWS, rowvar=False, bias=True)).logpdf(NEW)
    np.testing.assert_allclose(fitted(jnp.asarray(NEW)), expected, rtol=1e-8)


def test_several_components_are_scikit_learn_s():
    fitted = anomaly.MixtureOfNormals(components=3).fitted(jnp.asarray(ROWS), seed=4)
    mean, std = ROWS.mean(0), ROWS.std(0)
    theirs = GaussianMixture(3, reg_covar=1e-2, random_state=4).fit((ROWS - mean) / std)
    expected = np.log(std).sum() - theirs.score_samples((NEW - mean) / std)
    np.testing.assert_allclose(fitted(jnp.asarray(NEW)), expected, rtol=1e-8)


def test_nearest_rows_are_scikit_learn_s():
    fitted = anomaly.NearestRows(k=7).fitted(jnp.asarray(ROWS))
    theirs = NearestNeighbors(n_neighbors=7).fit((ROWS - ROWS.mean(0)) / ROWS.std(0))
    distances, _ = theirs.kneighbors((NEW - ROWS.mean(0)) / ROWS.std(0))
    np.testing.assert_allclose(fitted(jnp.asarray(NEW)), distances.mean(1), rtol=1e-10)


def test_few_and_constant_rows_do_not_break_a_density():
    for rows in (np.ones((1, 2)), np.ones((20, 2))):
        for density in (anomaly.MixtureOfNormals(), anomaly.NearestRows()):
            fitted = density.fitted(jnp.asarray(rows))
            assert np.all(np.isfinite(fitted(jnp.asarray(rows))))


def test_multiscale_norms_find_what_one_norm_cannot():
    """A ring: its centre and a far point have the norms of ring points at one noise level, not at all."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    model = denoisers.Empirical(sde=sdes.VP(), data=2 * ring)
    key = jax.random.key(0)
    x = 2 * ring + 0.1 * np.random.default_rng(0).normal(size=ring.shape)
    score = anomaly.MultiscaleScoreNorms(norms=anomaly.ScoreNorms(sigmas=(0.2, 0.8, 3.0)))
    fitted = score.fitted(model, x, key)
    strange = jnp.asarray([[0.0, 0.0], [6.0, 0.0], [3.0, 3.0]])
    assert np.min(fitted(model, strange, key)) > np.max(fitted(model, jnp.asarray(x), key))
