"""Has the model copied its training data? Nearest-neighbour distances, samples against held-out data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from score_sde.evaluation.checks import as_rows, require_neighbors, require_same_event

BLOCK = 256  # queries whose differences are held at once


class Memorization(NamedTuple):
    """Distances to the nearest training example, in data units, of samples and of held-out data.

    ``relative`` distances are divided by the distance to the k-th neighbour: blur, which brings samples
    nearer to everything, moves them far less than copying does.
    """

    sample_distances: np.ndarray  # (samples,)
    test_distances: np.ndarray  # (test,)
    sample_relative: np.ndarray
    test_relative: np.ndarray
    neighbors: np.ndarray  # (samples,): index of each sample's nearest training example

    def summary(self) -> dict[str, Any]:
        """Numbers for the report.

        ``auc`` is P(sample nearer than a test example) (Mann-Whitney): 0.5 is what fresh data give, 1
        is copying. ``suspicious`` is the fraction of samples nearer than 1 % of the test data are:
        0.01 for fresh data. ``ratio`` compares medians: below 1, samples are nearer.
        """
        from scipy.stats import ks_2samp

        suspicious = np.mean(self.sample_distances < np.quantile(self.test_distances, 0.01))
        return {
            "median_sample": float(np.median(self.sample_distances)),
            "median_test": float(np.median(self.test_distances)),
            "ratio": float(np.median(self.sample_distances) / _positive(np.median(self.test_distances))),
            "quantiles": [0.05, 0.25, 0.5, 0.75, 0.95],
            "sample_quantiles": np.quantile(self.sample_distances, [0.05, 0.25, 0.5, 0.75, 0.95]).tolist(),
            "test_quantiles": np.quantile(self.test_distances, [0.05, 0.25, 0.5, 0.75, 0.95]).tolist(),
            "auc": probability_smaller(self.sample_distances, self.test_distances),
            "auc_relative": probability_smaller(self.sample_relative, self.test_relative),
            "ks_pvalue": float(ks_2samp(self.sample_distances, self.test_distances).pvalue),
            "suspicious": float(suspicious),
            "exact_copies": float(np.mean(self.sample_distances == 0)),
        }


def check_memorization(
    samples: np.ndarray, train: np.ndarray, test: np.ndarray, *, k: int = 50
) -> Memorization:
    """Compare how near samples and held-out examples lie to the training set.

    Euclidean distances in data units; ``k`` is the neighbour that sets the local scale of the
    relative distances (Carlini et al. 2023, section 4.2, use 50). Raises InputError for different
    events, empty arrays, or more neighbours than training examples.
    """
    require_same_event("samples", samples, "train", train)
    require_same_event("test", test, "train", train)
    reference = as_rows("train", train)
    require_neighbors("check_memorization.k", k, len(reference))
    sample, indices = nearest_neighbors(as_rows("samples", samples), reference, k=k)
    held_out, _ = nearest_neighbors(as_rows("test", test), reference, k=k)
    return Memorization(
        sample_distances=sample[:, 0],
        test_distances=held_out[:, 0],
        sample_relative=sample[:, 0] / _positive(sample[:, -1]),
        test_relative=held_out[:, 0] / _positive(held_out[:, -1]),
        neighbors=indices[:, 0],
    )


def nearest_neighbors(
    queries: np.ndarray, points: np.ndarray, *, k: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Euclidean distances and indices, both (queries, k), of the k nearest ``points``, nearest first."""
    from sklearn.neighbors import NearestNeighbors

    rows, reference = as_rows("queries", queries), as_rows("points", points)
    require_same_event("queries", queries, "points", points)
    require_neighbors("nearest_neighbors.k", k, len(reference))
    _, indices = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(reference).kneighbors(rows)
    # Distances again from the differences: the expanded square loses an exact zero to rounding.
    distances = np.empty(indices.shape)
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        distances[block] = np.linalg.norm(rows[block, None, :] - reference[indices[block]], axis=-1)
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(distances, order, 1), np.take_along_axis(indices, order, 1)


def probability_smaller(first: np.ndarray, second: np.ndarray) -> float:
    """P(a < b) + P(a = b) / 2 for a from ``first`` and b from ``second``: the Mann-Whitney statistic."""
    ordered = np.sort(second)
    below, upto = np.searchsorted(ordered, first, "left"), np.searchsorted(ordered, first, "right")
    return float(1 - np.mean(below + upto) / (2 * len(ordered)))


def _positive(values: Any) -> Any:
    return np.maximum(values, np.finfo(np.float64).tiny)
