"""Solvers of ordinary differential equations over batches, with evaluations counted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from score_sde.pytree import Pytree
from score_sde.typing import Array, PerExample

VectorField = Callable[[PerExample, Any], Any]  # (t (batch,), y with leading batch axis) -> dy/dt


class Solution(NamedTuple):
    """y(t1) and the number of evaluations of the vector field that each example took, (batch,)."""

    y: Any
    evaluations: Array


class Integrator(Pytree, ABC):
    """Integrates dy/dt = field(t, y) from t0 to t1 (either direction)."""

    @abstractmethod
    def __call__(self, field: VectorField, y0: Any, t0: Array | float, t1: Array | float) -> Solution:
        """Solve for a pytree ``y0`` whose leaves all have a leading batch axis."""
