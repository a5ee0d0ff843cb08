"""The largest distance between two examples of a set."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from score_sde.errors import InputError

BLOCK = 1024


class Diameter(NamedTuple):
    """The largest distance found, which examples have it, and whether no other pair can have more.

    ``bound`` is what no pair exceeds; it equals ``distance`` where that is ``exact``.
    """

    distance: float
    pair: tuple[int, int]
    bound: float
    exact: bool
    compared: int


def largest_distance(
    examples: np.ndarray, *, products: float = 1e12, report: Callable[[float], None] = lambda done: None
) -> Diameter:
    """max |x_i - x_j| over all pairs of examples (N, *event), in float64 where it counts.

    By the triangle inequality |x_i - x_j| <= r_i + r_j with r the distances from the mean, so examples are
    taken in the order of falling r and the search ends at the first blocks that cannot hold more. It is
    exact unless ``products`` multiplications (about a minute on two cores) did not suffice; then
    ``bound`` says what is left. ``report`` is told the fraction of them that is done.
    """
    if len(examples) < 2:
        raise InputError("examples for a distance", len(examples), "at least 2", "give more data")
    rows = np.asarray(examples).reshape(len(examples), -1)
    radii = _radii(rows)
    order = np.argsort(-radii, kind="stable")
    rows, radii = rows[order], radii[order]
    best, pair, compared, open_ = -1.0, (0, 1), 0, 0.0
    for first, second in _blocks(radii):
        bound = radii[first.start] + radii[second.start]
        if bound <= best:
            break
        if compared * rows.shape[1] >= products:
            open_ = bound
            break
        distance, i, j = _farthest(rows[first], rows[second])
        if distance > best:
            best, pair = distance, (int(order[first.start + i]), int(order[second.start + j]))
        compared += len(rows[first]) * len(rows[second])
        report(min(compared * rows.shape[1] / products, 1.0))
    return Diameter(best, pair, max(best, float(open_)), bool(open_ <= best), compared)


def _blocks(radii: np.ndarray) -> list[tuple[slice, slice]]:
    """Pairs of blocks, those with the largest sum of radii first."""
    starts = range(0, len(radii), BLOCK)
    pairs = [(a, b) for a in starts for b in starts if a <= b]
    pairs.sort(key=lambda ab: -(radii[ab[0]] + radii[ab[1]]))
    return [(slice(a, a + BLOCK), slice(b, b + BLOCK)) for a, b in pairs]


def _radii(rows: np.ndarray) -> np.ndarray:
    """Distances from the mean, rounded up by what float32 may have lost."""
    mean = rows.mean(axis=0, dtype=np.float64)
    parts = [np.linalg.norm(rows[i : i + BLOCK] - mean, axis=1) for i in range(0, len(rows), BLOCK)]
    return np.concatenate(parts) * (1 + 1e-12)


def _farthest(first: np.ndarray, second: np.ndarray) -> tuple[float, int, int]:
    """The farthest pair of two blocks: found by |a|^2 + |b|^2 - 2 a.b, measured by the difference."""
    a, b = (block.astype(np.float64) for block in (first, second))
    squares = np.sum(a * a, axis=1)[:, None] + np.sum(b * b, axis=1)[None, :] - 2 * a @ b.T
    i, j = np.unravel_index(int(np.argmax(squares)), squares.shape)
    return float(np.linalg.norm(a[i] - b[j])), int(i), int(j)
