"""Likelihood of the data under noise: scikit-learn's and scipy's densities, and training rows left out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.neighbors import KernelDensity, NearestNeighbors

from score_sde import anomaly, denoisers, sdes
from score_sde.anomaly.base import time_of
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")
KEY = jax.random.key(0)
RNG = np.random.default_rng(0)
DATA = RNG.normal(size=(80, 4)) @ RNG.normal(size=(4, 4))
NEW = 2 * RNG.normal(size=(20, 4))


def sigma(rows, spread=2.0):
    """As the docstring says, by scikit-learn's neighbours."""
    return spread * np.median(NearestNeighbors(n_neighbors=1).fit(rows).kneighbors()[0]) / 2


def scores(x, **options):
    return anomaly.NoiseShapes(**options).fitted(None, DATA, KEY)(None, jnp.asarray(x), KEY)


def test_white_noise_is_scikit_learn_s_kernel_density():
    theirs = KernelDensity(bandwidth=sigma(DATA)).fit(DATA)
    np.testing.assert_allclose(scores(NEW, white=(1.0,)), -theirs.score_samples(NEW), rtol=1e-8)


def test_white_noise_is_the_exact_denoiser_s_marginal():
    """p_t of ``Empirical`` where sigma(t) / alpha(t) is the noise, back in the units of the data."""
    sde = sdes.VP()
    exact, t = denoisers.Empirical(sde=sde, data=jnp.asarray(DATA)), time_of(sde, sigma(DATA))
    alpha = sde.alpha(t)
    found = -exact.log_prob(alpha * jnp.asarray(NEW), jnp.full(len(NEW), t)) - 4 * jnp.log(alpha)
    np.testing.assert_allclose(scores(NEW, white=(1.0,)), found, rtol=1e-6)


def test_shaped_noise_is_a_mixture_of_scipy_s_normal_laws():
    covariance = 0.95 * np.cov(DATA, rowvar=False, bias=True) + 0.05 * np.eye(4)
    roots = np.linalg.cholesky(np.linalg.inv(covariance))
    noise = multivariate_normal(np.zeros(4), covariance * sigma(DATA @ roots, 1.5) ** 2)
    logs = noise.logpdf(NEW[:, None] - DATA)
    expected = np.log(len(DATA)) - logsumexp(logs, axis=1)
    np.testing.assert_allclose(scores(NEW, white=(0.05,), spread=1.5), expected, rtol=1e-8)
    both = scores(NEW, white=(1.0, 0.05), spread=1.5)
    np.testing.assert_allclose(both, expected + scores(NEW, white=(1.0,), spread=1.5), rtol=1e-8)


def test_an_example_of_the_data_is_left_out_once():
    """Each as by scikit-learn's density of all the others; of a pair of equal ones the other stays."""
    found, width = scores(DATA, white=(1.0,)), sigma(DATA)
    for row in range(5):
        others = KernelDensity(bandwidth=width).fit(np.delete(DATA, row, axis=0))
        np.testing.assert_allclose(found[row], -others.score_samples(DATA[row : row + 1])[0], rtol=1e-8)
    fitted = anomaly.NoiseShapes(white=(1.0,)).fitted(None, DATA, KEY)
    doubled = fitted.replace(data=jnp.concatenate([fitted.data, fitted.data[:1]]))
    expected = -KernelDensity(bandwidth=width).fit(DATA).score_samples(DATA[:1])
    np.testing.assert_allclose(doubled(None, fitted.data[:1], KEY), expected, rtol=1e-8)


def test_few_equal_and_many_examples():
    for rows in (np.ones((1, 2)), np.ones((9, 2))):
        fitted = anomaly.NoiseShapes().fitted(None, rows, KEY)
        assert np.all(np.isfinite(fitted(None, jnp.asarray(rows + 0.1), KEY)))
    few = anomaly.NoiseShapes(most=30).fitted(None, DATA, KEY)
    assert few.data.shape == (30, 4)
    assert np.all(np.any(np.all(np.asarray(few.data)[:, None] == DATA, axis=2), axis=1))


@pytest.mark.parametrize("options", [{"white": ()}, {"white": (0.0,)}, {"spread": 0.0}, {"most": 0}])
def test_a_parameter_out_of_range_is_named(options):
    with pytest.raises(InputError, match=next(iter(options))):
        anomaly.NoiseShapes(**options)
