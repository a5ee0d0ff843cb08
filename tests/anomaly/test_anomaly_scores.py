"""Scores against closed forms: on a normal law with its exact denoiser each is a formula."""

import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from score_sde import anomaly, denoisers, sdes
from score_sde.dequantization import Continuous, UniformDequantization
from score_sde.errors import InputError
from score_sde.samplers import DDIM, LogSNR, Sampler

pytestmark = pytest.mark.usefixtures("x64")
COVARIANCE = np.array([[1.0, 0.6, 0.0], [0.6, 1.5, -0.4], [0.0, -0.4, 0.5]])
BACKGROUND = np.diag([2.0, 2.5, 1.5])
SIGMA = 0.3
KEY = jax.random.key(0)
SCORE = anomaly.NegativeLogLikelihood(sigma=SIGMA)
EYE = np.eye(3)


def law(covariance, sde=None):
    mean = np.zeros(len(covariance))
    return denoisers.Gaussian(sde=sde or sdes.VP(), mean=mean, covariance=covariance)


def log_density(x, covariance):
    return multivariate_normal(np.zeros(3), covariance + SIGMA**2 * EYE).logpdf(np.asarray(x))


@pytest.fixture(name="x")
def examples():
    return jnp.asarray(np.random.default_rng(0).multivariate_normal(np.zeros(3), 2 * COVARIANCE, size=40))


@pytest.mark.parametrize(
    "sde", [sdes.VP(), sdes.EDM(), sdes.VE(sigma_max=80.0)], ids=lambda sde: type(sde).__name__
)
def test_likelihood_is_the_log_density(x, sde):
    """Of x_0 + sigma z; what is left is that the SDE's prior is not quite the law of x_T."""
    model = law(COVARIANCE, sde)
    found = jax.jit(SCORE)(model, x, KEY)
    np.testing.assert_allclose(found, -log_density(x, COVARIANCE), atol=5e-3)
    wrong = np.abs(found + log_density(x, 1.05 * COVARIANCE))
    assert np.max(wrong) > 0.05  # power: variances 5 % too large


def test_likelihood_ratio_is_the_difference_of_log_densities(x):
    pair = anomaly.WithBackground(model=law(COVARIANCE), background=law(BACKGROUND))
    found = jax.jit(anomaly.LikelihoodRatio(likelihood=SCORE))(pair, x, KEY)
    expected = log_density(x, BACKGROUND) - log_density(x, COVARIANCE)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_typicality_is_the_distance_to_the_entropy(x):
    """Fitted to 20,000 draws of the law, whose own entropy is known."""
    smoothed = COVARIANCE + SIGMA**2 * EYE
    entropy = 0.5 * np.linalg.slogdet(2 * np.pi * np.e * smoothed)[1]
    found = anomaly.Typicality(likelihood=SCORE, entropy=jnp.asarray(entropy))(law(COVARIANCE), x, KEY)
    np.testing.assert_allclose(found, np.abs(-log_density(x, COVARIANCE) - entropy), atol=2e-3)
    drawn = np.random.default_rng(1).multivariate_normal(np.zeros(3), smoothed, size=4096)
    fitted = anomaly.Typicality(likelihood=SCORE).fitted(law(COVARIANCE), drawn, KEY)
    # -log p has variance d / 2 for a normal law, so 4096 draws tell its mean to 0.02.
    assert abs(float(fitted.entropy) - entropy) < 4 * np.sqrt(1.5 / 4096)


def test_norms_of_the_score(x):
    norms = anomaly.ScoreNorms(sigmas=(0.1, 0.5, 2.0))
    for sde in (sdes.VP(), sdes.VE(sigma_max=20.0)):
        found = norms(law(COVARIANCE, sde), x, KEY)
        for column, sigma in zip(np.asarray(found).T, norms.sigmas, strict=True):
            score = np.linalg.solve(COVARIANCE + sigma**2 * EYE, np.asarray(x).T).T
            np.testing.assert_allclose(column, sigma * np.linalg.norm(score, axis=1), rtol=1e-6)


def test_one_step_reconstruction_has_its_mean_on_average(x):
    """|(C + s)^-1 s x|^2 + s tr(K^2) over d, K = C (C + s)^-1: unbiased in the noise, with its own error."""
    s = 0.5**2
    gain = COVARIANCE @ np.linalg.inv(COVARIANCE + s * EYE)
    bias = np.asarray(x) @ (EYE - gain).T
    expected = (np.sum(bias**2, axis=1) + s * np.sum(gain**2)) / 3
    score = anomaly.OneStepReconstruction(sigmas=(0.5,), draws=4000)
    found = score(law(COVARIANCE), x, KEY)
    np.testing.assert_allclose(found, expected, rtol=0.04)
    assert np.max(np.abs(found / (1.05 * expected) - 1)) > 0.04  # power


def test_reconstruction_by_the_probability_flow_has_its_mean(x):
    """The flow of N(0, C) back from noise is M (x + sigma z), M = (C / (C + s))^(1/2) in C's eigenbasis."""
    s = 0.7**2
    values, axes = np.linalg.eigh(COVARIANCE)
    flow = axes * np.sqrt(values / (values + s)) @ axes.T
    expected = (np.sum((np.asarray(x) @ (flow - EYE).T) ** 2, axis=1) + s * np.sum(flow**2)) / 3
    sampler = Sampler(predictor=DDIM(), grid=LogSNR(sigma_min=1e-2), n_steps=30)
    score = anomaly.DiffusionReconstruction(sigmas=(0.7,), draws=800, sampler=sampler)
    np.testing.assert_allclose(score(law(COVARIANCE), x, KEY), expected, rtol=0.1)


def test_reconstruction_of_a_point_mass_is_the_distance_to_it(x):
    """A model that knows one example gives it back from any noise."""
    only = denoisers.Empirical(sde=sdes.VP(), data=jnp.ones((1, 3)))
    expected = np.mean((np.asarray(x) - 1) ** 2, axis=1)
    for score in (anomaly.DiffusionReconstruction(), anomaly.OneStepReconstruction()):
        np.testing.assert_allclose(score(only, x, KEY), expected, rtol=0.1)


def test_complexity_takes_the_compressor_off_the_code_length(x):
    units = Continuous(low=-8.0, high=8.0)
    inside = units.encode(KEY, x)
    covariance = COVARIANCE / 64
    score = anomaly.InputComplexity(likelihood=SCORE, units=units)
    found = jax.jit(score)(law(covariance), inside, KEY)
    density = multivariate_normal(np.zeros(3), covariance + SIGMA**2 * EYE).logpdf(np.asarray(inside))
    levels = np.floor((np.asarray(inside) + 1) / 2 * 256).astype(np.uint8)
    code = [8 * len(zlib.compress(row.tobytes(), 9)) for row in levels]
    expected = -(density - 3 * np.log(8)) / np.log(2) - code
    np.testing.assert_allclose(found, expected, atol=3e-3)


def test_complexity_of_pictures_sees_the_raw_levels():
    """A PNG of the very integers; a flat picture is shorter than noise."""
    units = UniformDequantization(levels=17)
    rng = np.random.default_rng(0)
    raw = np.stack([np.full((16, 16, 1), 5), rng.integers(0, 17, (16, 16, 1))])
    lengths = anomaly.complexity.code_length(anomaly.PNG(), units, units.encode(KEY, raw))
    flat, noise = (anomaly.PNG().size(each.astype(np.uint8)) for each in raw)
    np.testing.assert_array_equal(lengths, [8 * flat, 8 * noise])
    assert flat < noise
    with pytest.raises(InputError, match="Zlib"):
        anomaly.PNG().size(np.zeros(3, np.uint8))


def test_perturbed_examples_keep_each_value_s_law():
    x = jnp.asarray(np.random.default_rng(0).multivariate_normal(np.zeros(3), COVARIANCE, size=3000))
    moved = np.asarray(anomaly.perturbed(KEY, x, 1.0))
    for column in range(3):
        np.testing.assert_array_equal(np.isin(moved[:, column], np.asarray(x[:, column])), True)
    correlations = np.corrcoef(moved, rowvar=False)[np.triu_indices(3, 1)]
    assert np.max(np.abs(correlations)) < 4 / np.sqrt(3000)
    share = np.mean(np.asarray(anomaly.perturbed(KEY, x, 0.3)) != np.asarray(x))
    assert abs(share - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 9000)


@pytest.mark.parametrize(
    "score",
    [anomaly.Typicality(), anomaly.MultiscaleScoreNorms(), anomaly.NearestTime(),
     anomaly.MultiscaleScoreNorms(density=anomaly.NearestRows())],
)  # fmt: skip
def test_a_score_that_was_not_fitted_says_so(x, score):
    with pytest.raises(InputError, match="fitted"):
        score(law(COVARIANCE), x, KEY)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: anomaly.NegativeLogLikelihood(sigma=0.0), "sigma"),
        (lambda: anomaly.LikelihoodRatio(share=0.0), "share"),
        (lambda: anomaly.ScoreNorms(sigmas=(0.2, 0.1)), "sigmas"),
        (lambda: anomaly.MixtureOfNormals(components=0), "components"),
        (lambda: anomaly.OneStepReconstruction(draws=0), "draws"),
        (lambda: anomaly.NearestTime(k=0), "k"),
        (lambda: anomaly.CategoricalTime(bins=1), "bins"),
        (lambda: anomaly.NoiseRange(sigma_max=-1.0), "sigma_max"),
        (lambda: anomaly.MLPRecipe(width=0), "width"),
    ],
)
def test_a_parameter_out_of_range_is_named(make, name):
    with pytest.raises(InputError, match=name):
        make()
