"""Sliced Wasserstein distances of two sets of equally many draws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

CACHED = 128_000  # projections at a time


class Sliced(NamedTuple):
    """(E_u W_p(u.x, u.y)^p)^(1/p), u uniform on the sphere, for p = 2 (as MCGDiff) and p = 1 (as TMPD)."""

    two: float
    one: float


def directions(dim: int, slices: int, seed: int = 0) -> np.ndarray:
    """Unit vectors, (slices, dim)."""
    u = np.random.default_rng(seed).standard_normal((slices, dim)).astype(np.float32)
    return u / np.linalg.norm(u, axis=1, keepdims=True)


def quantiles(x: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Sorted projections of the draws x on each of ``units``, (slices, draws)."""
    found = np.empty((len(units), len(x)), np.result_type(units, x))
    for part in _parts(len(units), len(x)):
        np.matmul(units[part], x.T, out=found[part])
        found[part].sort(axis=1)
    return found


def sliced(x: np.ndarray, y: np.ndarray) -> Sliced:
    """Distances of as many draws in x as in y, both given by their ``quantiles``."""
    squares = absolutes = 0.0
    for part in _parts(*x.shape):
        gap = x[part] - y[part]
        squares += np.einsum("ij,ij->i", gap, gap).sum(dtype=np.float64)
        absolutes += np.abs(gap, out=gap).sum(dtype=np.float64)
    return Sliced(float((squares / x.size) ** 0.5), float(absolutes / x.size))


def _parts(slices: int, draws: int) -> list[slice]:
    """Rows that a core's cache holds, one part after another."""
    rows = max(1, CACHED // draws)
    return [slice(start, start + rows) for start in range(0, slices, rows)]
