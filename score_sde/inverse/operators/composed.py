"""One operator after another."""

from __future__ import annotations

from typing import Any

from score_sde.errors import InputError
from score_sde.inverse.base import LinearOperator, Operator, require_linear
from score_sde.pytree import static
from score_sde.typing import Batch


class Composed(Operator):
    """x -> outer(inner(x)). Of two linear operators ``Composed`` makes a ``LinearComposed``, which is linear.

    Attributes:
        outer: applied second; of the shape that ``inner`` measures.
        inner: applied first.
        shape: the inner one's; need not be given.

    Raises:
        InputError: operators that do not fit each other.
    """

    outer: Any
    inner: Any
    shape: tuple[int, ...] = static(())

    def __new__(cls, *, outer: Any, inner: Any, shape: tuple[int, ...] = ()) -> Composed:
        """Linear where both are."""
        del shape
        linear = hasattr(outer, "weighted_adjoint") and hasattr(inner, "weighted_adjoint")
        return object.__new__(LinearComposed if linear else cls)

    def __post_init__(self) -> None:
        measured = self.inner.measured_shape
        if self.outer.shape != measured:
            expected = f"{measured}, what {type(self.inner).__name__} measures of {self.inner.shape}"
            raise InputError("Composed.outer.shape", self.outer.shape, expected)
        if self.shape not in ((), self.inner.shape):
            raise InputError("Composed.shape", self.shape, f"that of the inner one, {self.inner.shape}")
        object.__setattr__(self, "shape", self.inner.shape)

    def __call__(self, x: Batch) -> Batch:
        """outer(inner(x))."""
        return self.outer(self.inner(x))


class LinearComposed(Composed, LinearOperator):
    """A = A_outer A_inner; A^T = A_inner^T A_outer^T. ``Composed`` makes it of linear operators."""

    def __post_init__(self) -> None:
        require_linear("LinearComposed.outer", self.outer)
        require_linear("LinearComposed.inner", self.inner)
        super().__post_init__()

    def adjoint(self, y: Batch) -> Batch:
        """A^T y."""
        return self.inner.adjoint(self.outer.adjoint(y))
