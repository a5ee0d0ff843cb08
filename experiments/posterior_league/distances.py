"""Sliced Wasserstein distances of many sets of draws to one."""

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


class SlicedDistance:
    """Distances to the draws y (draws, dim) along ``units`` (slices, dim), all projections of y kept.

    Those of other draws are made in parts that a core's cache holds: fresh memory for all of them costs more
    than the sums.
    """

    def __init__(self, y: np.ndarray, units: np.ndarray) -> None:
        self.units, self.quantiles = units, np.empty((len(units), len(y)), np.result_type(units, y))
        for part in self._parts():
            self.quantiles[part] = self._sorted(y, part)

    def __call__(self, x: np.ndarray) -> Sliced:
        """Of x, (draws, dim); of a whole part as many, each stands for several of y, which is exact."""
        times, squares, absolutes = self.quantiles.shape[1] // len(x), 0.0, 0.0
        for part in self._parts():
            gap = np.repeat(self._sorted(x, part), times, axis=1) if times > 1 else self._sorted(x, part)
            gap -= self.quantiles[part]
            squares += np.einsum("ij,ij->i", gap, gap).sum(dtype=np.float64)
            absolutes += np.abs(gap, out=gap).sum(dtype=np.float64)
        size = self.quantiles.size
        return Sliced(float((squares / size) ** 0.5), float(absolutes / size))

    def _sorted(self, x: np.ndarray, part: slice) -> np.ndarray:
        found = self.units[part] @ x.T
        found.sort(axis=1)
        return found

    def _parts(self) -> list[slice]:
        slices, draws = self.quantiles.shape
        rows = max(1, CACHED // draws)
        return [slice(start, start + rows) for start in range(0, slices, rows)]
