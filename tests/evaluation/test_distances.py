"""Sample metrics against closed forms, scipy, and their own floors."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import wasserstein_distance

from score_sde.errors import InputError
from score_sde.evaluation import (
    frechet_distance,
    frechet_gaussian,
    mmd_squared,
    precision_recall,
    sample_distances,
    sliced_wasserstein,
)

RNG = np.random.default_rng


@pytest.mark.parametrize(("n", "m"), [(50, 50), (40, 70), (1, 9), (6, 4)])
def test_sliced_wasserstein_in_one_dimension_is_scipys(n, m):
    x, y = RNG(0).standard_normal((n, 1)), RNG(1).standard_normal((m, 1)) * 2 + 1
    ours = sliced_wasserstein(x, y, RNG(2), projections=3, order=1)
    np.testing.assert_allclose(ours, wasserstein_distance(x[:, 0], y[:, 0]), rtol=1e-12)


def test_sliced_wasserstein_of_a_shift():
    """Each projection moves by u.d, and E[(u.d)^2] = |d|^2 / D."""
    x, shift = RNG(0).standard_normal((100, 6)), np.array([1.0, 2, 0, 0, -1, 3])
    distance = sliced_wasserstein(x, x + shift, RNG(1), projections=40_000)
    np.testing.assert_allclose(distance, np.linalg.norm(shift) / np.sqrt(6), rtol=0.02)
    assert abs(1.05 - 1) > 0.02  # a 5 % error would not fit in


def test_sliced_wasserstein_of_equal_sets_is_zero_and_symmetric():
    x, y = RNG(0).standard_normal((30, 2, 2)), RNG(1).standard_normal((40, 2, 2))
    assert sliced_wasserstein(x, x[::-1], RNG(0)) == 0
    np.testing.assert_allclose(sliced_wasserstein(x, y, RNG(3)), sliced_wasserstein(y, x, RNG(3)))


def test_frechet_of_gaussians_is_the_formula():
    a, b = RNG(0).standard_normal((2, 4, 4))
    cx, cy, mx, my = a @ a.T, b @ b.T, np.arange(4.0), np.ones(4)
    expected = np.sum((mx - my) ** 2) + np.trace(cx + cy - 2 * np.real(sqrtm(cx @ cy)))
    np.testing.assert_allclose(frechet_gaussian(mx, cx, my, cy), expected, rtol=1e-8)


def test_frechet_of_commuting_covariances():
    """|m|^2 + sum (s_i - r_i)^2, with a direction of no variance: the products are singular."""
    x, y = np.diag([4.0, 9.0, 0.0]), np.diag([1.0, 1.0, 0.0])
    np.testing.assert_allclose(frechet_gaussian(np.zeros(3), x, np.ones(3), y), 3 + 1 + 4, rtol=1e-12)


def test_frechet_distance_uses_the_features():
    x, y = RNG(0).standard_normal((500, 3, 1)), RNG(1).standard_normal((500, 3, 1)) + 2
    first = frechet_distance(x, y, features=lambda images: images[:, :1, 0])
    means, stds = x[:, 0].mean() - y[:, 0].mean(), x[:, 0].std(ddof=1) - y[:, 0].std(ddof=1)
    np.testing.assert_allclose(first, means**2 + stds**2, rtol=1e-8)


def test_mmd_is_the_double_sum():
    x, y = RNG(0).standard_normal((5, 2)), RNG(1).standard_normal((7, 2))

    def kernel(a, b):
        return np.exp(-np.sum((a - b) ** 2) / (2 * 1.5**2))

    xx = np.mean([kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    yy = np.mean([kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    xy = np.mean([kernel(a, b) for a in x for b in y])
    np.testing.assert_allclose(mmd_squared(x, y, bandwidth=1.5), xx + yy - 2 * xy, rtol=1e-10)


def normal_mmd_squared(shift, dimensions, bandwidth):
    """Unit Gaussians, d apart: 2 c (1 - exp(-|d|^2 / (2 (b^2 + 2)))) with c = (b^2 / (b^2 + 2))^(D/2)."""
    peak = (bandwidth**2 / (bandwidth**2 + 2)) ** (dimensions / 2)
    return 2 * peak * (1 - np.exp(-(shift**2) / (2 * (bandwidth**2 + 2))))


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_mmd_is_unbiased_for_gaussians(shift):
    """Its mean over many pairs of sets is the closed form: zero for equal distributions."""
    rng = RNG(0)
    offset = np.array([shift, 0.0])
    values = [
        mmd_squared(rng.standard_normal((30, 2)), rng.standard_normal((30, 2)) + offset, bandwidth=1.0)
        for _ in range(1500)
    ]
    mean, stderr = np.mean(values), np.std(values) / np.sqrt(len(values))
    expected = normal_mmd_squared(shift, 2, 1.0)
    assert abs(mean - expected) < 3 * stderr
    # Power: the biased estimator (with the diagonal) and a value 5 % off lie beyond 3 errors.
    biased = mean + (2 - 2 / 3) / 30  # the diagonal adds (1 - E k) / n for each of the two sets
    assert abs(biased - expected) > 3 * stderr
    assert shift == 0 or 0.05 * expected > 3 * stderr


def test_precision_and_recall_of_cases_known_by_hand():
    real = np.array([[0.0], [1.0], [2.0], [10.0]])
    samples = np.array([[0.5], [1.5], [30.0], [31.0]])
    # k = 1: real radii 1, 1, 1, 8 reach to 18: the samples at 0.5 and 1.5 are inside, 30 and 31 are not;
    # sample radii 1, 1, 1, 1 cover 0, 1 and 2 but not 10.
    assert precision_recall(real, samples, k=1) == (0.5, 0.75)


def test_precision_falls_with_outliers_and_recall_with_dropped_modes():
    rng = RNG(0)
    modes = np.array([[-5.0, 0.0], [5.0, 0.0]])
    real = modes[rng.integers(0, 2, 400)] + rng.standard_normal((400, 2))
    one_mode = modes[0] + rng.standard_normal((400, 2))
    noisy = np.concatenate([real[:200] + 0.1, rng.uniform(20, 40, (200, 2))])
    dropped, spoilt = precision_recall(real, one_mode), precision_recall(real, noisy)
    assert dropped.precision > 0.9
    assert dropped.recall < 0.6
    assert spoilt.precision < 0.55
    assert precision_recall(real, real.copy()) == (1, 1)


def test_floors_tell_a_perfect_model_from_one_that_is_off():
    """Fresh data score like the floor; the same data 5 % too large or with a mode missing do not."""
    rng = RNG(0)
    train, test, fresh = (rng.standard_normal((n, 8)) + 4 for n in (2000, 600, 600))
    perfect = sample_distances(fresh, train, test)
    off = sample_distances(1.05 * fresh, train, test)
    for name in ("sliced Wasserstein", "MMD squared", "Frechet (pixels)"):
        value, floor, std = perfect[name]
        assert abs(value - floor) < 5 * std
        assert off[name].value - off[name].floor > 5 * std
    assert abs(perfect["precision"].value - perfect["precision"].floor) < 0.06


def test_more_samples_than_training_examples():
    rng = RNG(0)
    result = sample_distances(rng.random((50, 2)), rng.random((20, 2)), rng.random((20, 2)), subsets=1)
    assert all(np.isfinite(entry).all() for entry in result.values())


@pytest.mark.parametrize(
    "call",
    [
        lambda x: sliced_wasserstein(x, x[:, :1], RNG(0)),
        lambda x: sliced_wasserstein(x, x[:0], RNG(0)),
        lambda x: sliced_wasserstein(x, x, RNG(0), projections=0),
        lambda x: sliced_wasserstein(np.where(x > 0.5, np.nan, x), x, RNG(0)),
        lambda x: mmd_squared(x[:1], x),
        lambda x: mmd_squared(x, x, bandwidth=0.0),
        lambda x: mmd_squared(x, np.zeros_like(x)),
        lambda x: frechet_distance(x, x[:1]),
        lambda x: precision_recall(x, x, k=10),
        lambda x: precision_recall(x, x, k=0),
        lambda x: sample_distances(x, x, x[:, :1]),
        lambda x: sample_distances(x, x, x, subsets=0),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(InputError):
        call(RNG(0).random((10, 2)))
