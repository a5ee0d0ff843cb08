"""Several instruments that see the same image."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.inverse.base import LinearOperator, Operator, require_linear
from score_sde.pytree import static
from score_sde.typing import Batch


class Stacked(Operator):
    """x -> all that the ``operators`` measure of x, flattened in a row: (batch, sum of their values).

    Of linear operators it is linear: ``Stacked`` then makes a ``LinearStacked``.

    Attributes:
        operators: of one shape.
        shape: theirs; need not be given.

    Raises:
        InputError: no operator, or ones of several shapes.
    """

    operators: Any
    shape: tuple[int, ...] = static(())

    def __new__(cls, *, operators: Any, shape: tuple[int, ...] = ()) -> Stacked:
        """Linear where all are."""
        del shape
        linear = all(hasattr(operator, "weighted_adjoint") for operator in operators)
        return object.__new__(LinearStacked if linear else cls)

    def __post_init__(self) -> None:
        shapes = list(dict.fromkeys(operator.shape for operator in self.operators))
        if len(shapes) != 1 or self.shape not in ((), shapes[0]):
            raise InputError("Stacked.operators", f"of shapes {shapes}", "one or more of the same shape")
        object.__setattr__(self, "operators", tuple(self.operators))
        object.__setattr__(self, "shape", shapes[0])

    def __call__(self, x: Batch) -> Batch:
        """All measurements in a row."""
        parts = [operator(x) for operator in self.operators]
        return jnp.concatenate([part.reshape(part.shape[0], -1) for part in parts], axis=1)

    def parts(self, y: Batch) -> list[Batch]:
        """Each operator's share of y, in its own shape."""
        found, start = [], 0
        for operator in self.operators:
            shape = operator.measured_shape
            stop = start + math.prod(shape)
            found.append(y[:, start:stop].reshape(-1, *shape))
            start = stop
        return found


class LinearStacked(Stacked, LinearOperator):
    """A^T y = sum of A_i^T y_i. ``Stacked`` makes it of linear operators."""

    def __post_init__(self) -> None:
        for operator in self.operators:
            require_linear("LinearStacked.operators", operator)
        super().__post_init__()

    def adjoint(self, y: Batch) -> Batch:
        """A^T y."""
        parts = zip(self.operators, self.parts(y), strict=True)
        return sum((operator.adjoint(part) for operator, part in parts), start=jnp.zeros((), y.dtype))
