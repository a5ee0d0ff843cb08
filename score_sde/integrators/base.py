"""Solvers of ordinary differential equations over batches, with evaluations counted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from score_sde.pytree import Pytree
from score_sde.typing import Array

VectorField = Callable[..., Any]  # (t (batch,), y with leading batch axis, *args likewise) -> dy/dt


class Solution(NamedTuple):
    """y(t1) and the number of evaluations of the vector field that each example took, (batch,)."""

    y: Any
    evaluations: Array


class Integrator(Pytree, ABC):
    """Integrates dy/dt = field(t, y) from t0 to t1 (either direction)."""

    @abstractmethod
    def __call__(
        self,
        field: VectorField,
        y0: Any,
        t0: Array | float,
        t1: Array | float,
        args: tuple[Any, ...] = (),
    ) -> Solution:
        """Solve for a pytree ``y0`` whose leaves all have a leading batch axis.

        What differs between examples but does not change in time (a condition, a probe) must be given in
        ``args``, never closed over: examples may be solved apart. The field is called with a leading
        batch axis, as ``field(t (batch,), y, *args)``; the leaves of ``args`` have that axis too.
        """
