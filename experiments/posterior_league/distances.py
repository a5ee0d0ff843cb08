"""Sliced Wasserstein distances of two sets of equally many draws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Sliced(NamedTuple):
    """(E_u W_p(u.x, u.y)^p)^(1/p), u uniform on the sphere, for p = 2 (as MCGDiff) and p = 1 (as TMPD)."""

    two: float
    one: float


def directions(dim: int, slices: int, seed: int = 0) -> np.ndarray:
    """Unit vectors, (slices, dim)."""
    u = np.random.default_rng(seed).standard_normal((slices, dim)).astype(np.float32)
    return u / np.linalg.norm(u, axis=1, keepdims=True)


def sliced(x: np.ndarray, y: np.ndarray, units: np.ndarray, block: int = 1000) -> Sliced:
    """Distances along ``units`` of as many draws in x as in y: sorted projections are the quantiles."""
    squares, lengths = [], []
    for start in range(0, len(units), block):
        part = units[start : start + block]
        gap = np.sort(part @ x.T, axis=1) - np.sort(part @ y.T, axis=1)
        squares.append(np.mean(np.square(gap, dtype=np.float64), axis=1))
        lengths.append(np.mean(np.abs(gap, dtype=np.float64), axis=1))
    return Sliced(float(np.concatenate(squares).mean() ** 0.5), float(np.concatenate(lengths).mean()))
