"""Explicit Runge-Kutta methods as objects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import jax

from score_sde.integrators.checks import Slope
from score_sde.pytree import Pytree
from score_sde.typing import Array


class Method(Pytree, ABC):
    """One step of a one-step method.

    Attributes:
        order: order of convergence.
        evaluations: evaluations of the field in one step.
    """

    order: ClassVar[int]
    evaluations: ClassVar[int]

    @abstractmethod
    def step(self, slope: Slope, t: Array, h: Array, y: Any) -> Any:
        """y(t + h) from y(t); ``h`` may be negative."""


class Euler(Method):
    """y + h f(t, y)."""

    order: ClassVar[int] = 1
    evaluations: ClassVar[int] = 1

    def step(self, slope: Slope, t: Array, h: Array, y: Any) -> Any:
        """One step."""
        return combine(y, (h, slope(t, y)))


class Heun(Method):
    """The explicit trapezoidal rule: y + h/2 (f(t, y) + f(t + h, y + h f))."""

    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 2

    def step(self, slope: Slope, t: Array, h: Array, y: Any) -> Any:
        """One step."""
        first = slope(t, y)
        second = slope(t + h, combine(y, (h, first)))
        return combine(y, (h / 2, first), (h / 2, second))


class RungeKutta4(Method):
    """The classical fourth-order method (Hairer, Norsett and Wanner 1993, table II.1.2)."""

    order: ClassVar[int] = 4
    evaluations: ClassVar[int] = 4

    def step(self, slope: Slope, t: Array, h: Array, y: Any) -> Any:
        """One step."""
        first = slope(t, y)
        second = slope(t + h / 2, combine(y, (h / 2, first)))
        third = slope(t + h / 2, combine(y, (h / 2, second)))
        fourth = slope(t + h, combine(y, (h, third)))
        return combine(y, (h / 6, first), (h / 3, second), (h / 3, third), (h / 6, fourth))


def combine(y: Any, *terms: tuple[Array, Any]) -> Any:
    """Y plus a weighted sum of slopes, in the dtypes of y."""
    for weight, slope in terms:
        y = jax.tree.map(lambda a, b, weight=weight: a + (weight * b).astype(a.dtype), y, slope)
    return y
