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


def quantiles(x: np.ndarray, units: np.ndarray, block: int = 1000) -> np.ndarray:
    """Sorted projections of the draws x on each of ``units``, (slices, draws)."""
    starts = range(0, len(units), block)
    return np.concatenate([np.sort(units[start : start + block] @ x.T, axis=1) for start in starts])


def sliced(x: np.ndarray, y: np.ndarray) -> Sliced:
    """Distances of as many draws in x as in y, both given by their ``quantiles``."""
    gap = x - y
    two, one = (np.mean(of(gap), dtype=np.float64) for of in (np.square, np.abs))
    return Sliced(float(two**0.5), float(one))
