"""Diffusion time: the order of k nearest neighbours, and the minimisers of the two losses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from score_sde import anomaly
from score_sde.anomaly.diffusion_time import BinnedTime, InverseGammaLikelihood

KEY = jax.random.key(0)
NOISE = anomaly.NoiseRange(sigma_max=1.0)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("k", "dimensions"), [(1, 2), (5, 3), (5, 30), (50, 6)])
def test_nearest_time_ranks_exactly_as_nearest_neighbours(k, dimensions):
    rng = np.random.default_rng(k)
    data, x = rng.normal(size=(300, dimensions)), 2 * rng.normal(size=(200, dimensions))
    score = anomaly.NearestTime(k=k).fitted(None, data, KEY)(None, jnp.asarray(x), KEY)
    distances, _ = NearestNeighbors(n_neighbors=k).fit(data).kneighbors(x)
    np.testing.assert_array_equal(np.argsort(score), np.argsort(distances.mean(axis=1)))


@pytest.mark.usefixtures("x64")
def test_nearest_time_of_one_example_is_the_inverse_gamma_mean():
    """By numerical integration of the likelihood over a uniform sigma^2: no formula of ours."""
    dimensions, x = 9, np.full((1, 9), 0.5)
    variance = np.linspace(1e-3, 400, 2_000_001)
    weight = np.exp(-0.5 * np.sum(x**2) / variance - 0.5 * dimensions * np.log(variance))
    expected = np.sum(variance * weight) / np.sum(weight)
    score = anomaly.NearestTime(k=1).fitted(None, np.zeros((1, dimensions)), KEY)(None, jnp.asarray(x), KEY)
    np.testing.assert_allclose(score, expected, rtol=1e-3)


class Told:
    """A network that says the same of every example."""

    def __init__(self, *numbers):
        self.numbers = jnp.asarray(numbers)

    def __call__(self, x, *, key=None):
        return jnp.broadcast_to(self.numbers, (len(x), len(self.numbers)))


def test_all_bins_are_as_likely_a_priori():
    """Without a look at x the best law is the uniform one, at log(bins) nats, within their error."""
    x0, objective = jnp.zeros((20_000, 2)), BinnedTime(noise=NOISE, bins=4)
    uniform = np.mean(objective(KEY, Told(0.0, 0.0, 0.0, 0.0), x0))
    np.testing.assert_allclose(uniform, np.log(4), rtol=1e-6)
    for bin_ in range(4):
        tilted = np.mean(objective(KEY, Told(*(0.2 * np.eye(4)[bin_])), x0))
        assert tilted > uniform


def test_inverse_gamma_loss_is_least_where_calculus_says():
    """shape / E[1 / sigma^2], with noise below a hundredth of the largest variance taken for that."""
    shape, dimensions = 2.0, 6
    expected = shape / (0.01 * 100 + np.log(100))  # E of 1 / max(u, 1/100) over u in (0, 1)
    x0, objective = jnp.zeros((20_000, dimensions)), InverseGammaLikelihood(noise=NOISE)
    roots = np.linspace(0.2, 1.5, 400)
    losses = [float(np.mean(objective(KEY, Told(root), x0[:2000]))) for root in roots[::20]]
    best = roots[::20][np.argmin(losses)]
    assert abs(best**2 - expected) < 0.1


def test_noise_has_the_variance_that_it_tells():
    x, share = anomaly.NoiseRange(sigma_max=2.0).draw(KEY, jnp.zeros((50_000, 4)))
    ratio = np.mean(np.square(x) / (4 * share[:, None]))
    assert abs(ratio - 1) < 4 * np.sqrt(2 / 200_000)  # 5 % off would be 15 standard errors
    assert abs(float(np.mean(share)) - 0.5) < 4 / np.sqrt(12 * 50_000)


def test_trained_networks_tell_large_noise_from_small():
    """Of 2-D normal data: mean scores grow with the noise that was added."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(400, 8)) @ np.diag([1, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    recipe = anomaly.MLPRecipe(width=32, depth=2, steps=300, batch_size=64)
    for score in (anomaly.CategoricalTime(), anomaly.InverseGammaTime()):
        score, network = score.prepared(recipe, KEY, (8,))
        score, network = score.learnt(network, recipe, jnp.asarray(data, jnp.float32), KEY)
        means = []
        for sigma in (0.05, 0.3, 0.8):
            x = data + sigma * rng.normal(size=data.shape)
            means.append(float(np.mean(score(network, jnp.asarray(x, jnp.float32), KEY))))
        assert means[0] < means[1] < means[2], means
