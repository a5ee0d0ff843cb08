"""Distances between two sets of samples that need no network: what they are and what their floor is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from score_sde.errors import InputError
from score_sde.evaluation.checks import as_rows, require_neighbors, require_same_event


class PrecisionRecall(NamedTuple):
    """Fractions in [0, 1]: samples inside the real manifold, real examples inside the samples' manifold."""

    precision: float
    recall: float


class Distance(NamedTuple):
    """A metric of samples against test data, and the same metric of real training data against them."""

    value: float
    floor: float
    floor_std: float  # over random subsets of the training data as large as the samples


def sliced_wasserstein(
    x: np.ndarray, y: np.ndarray, rng: np.random.Generator, *, projections: int = 500, order: float = 2.0
) -> float:
    """Sliced Wasserstein distance (E_u W_p(u.x, u.y)^p)^(1/p), u uniform on the sphere, in data units.

    W_p in one dimension is the L_p distance of the quantile functions, exact for sets of different
    sizes. (N, *event) and (M, *event). Bonneel et al. 2015, equation 3. A shift by the vector d costs
    |d| / sqrt(D) for p = 2. Raises InputError for different events or empty sets.
    """
    first, second = _pair(x, y)
    if projections < 1:
        raise InputError("sliced_wasserstein.projections", projections, "at least 1", "raise it")
    directions = rng.standard_normal((first.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    return _wasserstein_power(first @ directions, second @ directions, order).mean() ** (1 / order)


def mmd_squared(x: np.ndarray, y: np.ndarray, *, bandwidth: float | None = None) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel exp(-|a - b|^2 / (2 bandwidth^2)).

    mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean k(x_i, y_j): zero on average for
    equal distributions, so it may be negative. Gretton et al. 2012, equation 3. ``bandwidth`` None
    takes the median distance within ``y`` (the reference: so the kernel does not depend on the samples).
    """
    first, second = _pair(x, y, at_least=2)
    yy = cdist(second, second)
    if bandwidth is None:
        bandwidth = float(np.median(yy[np.triu_indices_from(yy, 1)]))
    if not bandwidth > 0:
        raise InputError("mmd_squared.bandwidth", bandwidth, "a positive number", "give one in data units")

    def kernel(distance: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * (distance / bandwidth) ** 2)

    return _mean_off_diagonal(kernel(cdist(first, first))) + float(
        _mean_off_diagonal(kernel(yy)) - 2 * kernel(cdist(first, second)).mean()
    )


def frechet_gaussian(
    mean_x: np.ndarray, covariance_x: np.ndarray, mean_y: np.ndarray, covariance_y: np.ndarray
) -> float:
    """Squared 2-Wasserstein distance of two Gaussians: |m_x - m_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2)).

    Dowson and Landau 1982, equation 4. The trace of the root is the sum of the singular values of
    C_x^(1/2) C_y^(1/2): no complex square root, also for singular covariances.
    """
    roots = np.linalg.svd(_root(covariance_x) @ _root(covariance_y), compute_uv=False)
    trace = np.trace(covariance_x) + np.trace(covariance_y) - 2 * roots.sum()
    return float(np.sum((np.asarray(mean_x) - np.asarray(mean_y)) ** 2) + max(trace, 0.0))


def frechet_distance(
    x: np.ndarray, y: np.ndarray, *, features: Callable[[np.ndarray], np.ndarray] | None = None
) -> float:
    """Frechet distance of the Gaussian fits to two sets: FID if ``features`` are Inception's.

    Heusel et al. 2017, section 3. ``features`` maps (N, *event) to (N, F); None takes the values
    themselves. Biased upwards by few examples: read it beside its floor.
    """
    if features is not None:
        x, y = features(np.asarray(x)), features(np.asarray(y))
    first, second = _pair(x, y, at_least=2)
    return frechet_gaussian(
        first.mean(0), np.atleast_2d(np.cov(first.T)), second.mean(0), np.atleast_2d(np.cov(second.T))
    )


def precision_recall(real: np.ndarray, samples: np.ndarray, *, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall: is a point within the k-NN ball of any point of the other set?

    Kynkaanniemi et al. 2019, equations 1 and 2. A ball reaches to the k-th neighbour of its centre
    in its own set. Raises InputError unless k is smaller than both sets.
    """
    first, second = _pair(real, samples, at_least=2)
    require_neighbors("precision_recall.k", k, min(len(first), len(second)) - 1)
    across = cdist(second, first)  # (samples, real)
    precision = (across <= _ball_radii(first, k)[None, :]).any(axis=1).mean()
    recall = (across <= _ball_radii(second, k)[:, None]).any(axis=0).mean()
    return PrecisionRecall(float(precision), float(recall))


def sample_distances(
    samples: np.ndarray, train: np.ndarray, test: np.ndarray, *, seed: int = 0, subsets: int = 5
) -> dict[str, Distance]:
    """All metrics of ``samples`` against ``test``, each beside its floor.

    The floor is the metric of ``subsets`` random subsets of ``train``, as large as the samples (at
    most all of train), against ``test``: what a perfect model would get. Where there are more
    samples than training examples, the samples are cut to that number. All in data units.
    """
    require_same_event("samples", samples, "test", test)
    require_same_event("train", train, "test", test)
    if subsets < 1:
        raise InputError("sample_distances.subsets", subsets, "at least 1", "raise it")
    size = min(len(samples), len(train))
    metrics = _metrics(np.asarray(test), seed)
    rng = np.random.default_rng(seed)
    picks = [rng.choice(len(train), size, replace=False) for _ in range(subsets)]
    values = metrics(np.asarray(samples)[:size])
    floors = [metrics(np.asarray(train)[pick]) for pick in picks]

    def entry(name: str) -> Distance:
        floor = [result[name] for result in floors]
        return Distance(values[name], float(np.mean(floor)), float(np.std(floor)))

    return {name: entry(name) for name in values}


def _metrics(test: np.ndarray, seed: int) -> Callable[[np.ndarray], dict[str, float]]:
    def measure(x: np.ndarray) -> dict[str, float]:
        precision, recall = precision_recall(test, x)
        # The same projections for every set, so that value and floor differ by the data alone.
        return {
            "sliced Wasserstein": sliced_wasserstein(x, test, np.random.default_rng(seed)),
            "MMD squared": mmd_squared(x, test),
            "Frechet (pixels)": frechet_distance(x, test),
            "precision": precision,
            "recall": recall,
        }

    return measure


def _pair(x: np.ndarray, y: np.ndarray, at_least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    first, second = as_rows("first set", x, at_least), as_rows("second set", y, at_least)
    require_same_event("first set", x, "second set", y)
    return first, second


def _wasserstein_power(x: np.ndarray, y: np.ndarray, order: float) -> np.ndarray:
    """W_p^p of the columns of (N, P) and (M, P): the quantile functions are steps, so the sum is exact."""
    n, m = len(x), len(y)
    # Break points of both quantile functions in units of 1 / (n m): integers, so no rounding.
    edges = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)
    left = edges[:-1]
    gaps = np.abs(np.sort(x, axis=0)[left // m] - np.sort(y, axis=0)[left // n])
    return (np.diff(edges)[:, None] * gaps**order).sum(axis=0) / (n * m)


def _mean_off_diagonal(kernel: np.ndarray) -> float:
    n = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(np.asarray(covariance, dtype=np.float64))
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def _ball_radii(points: np.ndarray, k: int) -> np.ndarray:
    # Index k and not k - 1: the nearest point of a set to its member is the member itself.
    return np.partition(cdist(points, points), k, axis=1)[:, k]
