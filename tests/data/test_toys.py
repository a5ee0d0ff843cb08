import inspect

import numpy as np
import pytest

from score_sde.data import toys
from score_sde.errors import InputError

TOYS = [
    value
    for value in vars(toys).values()
    if inspect.isclass(value) and issubclass(value, toys.Toy) and not inspect.isabstract(value)
]
GRID = np.linspace(-6, 6, 601)[:-1] + 0.01  # cells of side 0.02


@pytest.fixture(scope="module", params=TOYS, ids=lambda toy: toy.__name__)
def toy(request):
    return request.param(size=20_000, seed=1)


@pytest.fixture(scope="module")
def density(toy):
    points = np.stack(np.meshgrid(GRID, GRID, indexing="ij"), axis=-1).reshape(-1, 2)
    return points, np.exp(np.concatenate([toy.log_prob(part) for part in np.split(points, 20)]))


def test_density_integrates_to_one(density):
    np.testing.assert_allclose(density[1].sum() * 0.02**2, 1.0, atol=1e-6)


def test_samples_follow_the_density(toy, density):
    """Chi-squared on cells of side 1 against the integral of the density over each cell."""
    points, values = density
    edges = np.arange(-6, 7)
    probability, _, _ = np.histogram2d(*points.T, bins=edges, weights=values * 0.02**2)
    x = toy.split("train").arrays()["x"]
    expected = len(x) * probability

    def statistic(samples):
        counts, _, _ = np.histogram2d(*samples.T, bins=edges)
        cells = expected > 5
        degrees = cells.sum() - 1
        return (np.sum((counts - expected)[cells] ** 2 / expected[cells]) - degrees) / np.sqrt(2 * degrees)

    assert abs(statistic(x)) < 4
    assert statistic(1.05 * x) > 4, "five per cent of bias in the scale is seen"


def test_mixture_parts_agree_with_scipy():
    from scipy.stats import multivariate_normal

    toy = toys.Pinwheel(size=10)
    x = toy.split("train").arrays()["x"]
    parts = [
        multivariate_normal(mean, covariance).pdf(x)
        for mean, covariance in zip(toy.means, toy.covariances, strict=True)
    ]
    np.testing.assert_allclose(toy.log_prob(x), np.log(np.mean(parts, axis=0)), rtol=1e-10)


def test_seeds_and_splits_differ():
    first, second = toys.Spiral(size=20, seed=0), toys.Spiral(size=20, seed=1)
    assert len(first.split("test")) == 2
    assert not np.array_equal(first.split("train").arrays()["x"], second.split("train").arrays()["x"])
    with pytest.raises(InputError, match=r"data\.size = 0"):
        toys.Spiral(size=0)
