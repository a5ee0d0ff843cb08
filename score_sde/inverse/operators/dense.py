"""Any matrix, held as one."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.arrays import expand
from score_sde.errors import InputError
from score_sde.inverse.base import LinearOperator, SpectralOperator, require_linear
from score_sde.inverse.operators.checks import require_shape
from score_sde.inverse.operators.rotations import Rotation, rotated
from score_sde.products import full_matmul
from score_sde.pytree import derived, static
from score_sde.typing import Array, Batch, Time

LARGEST = 8192  # values of an example: beyond, the decomposition takes hours and gigabytes


class Dense(SpectralOperator):
    """A x by a matrix, decomposed once: for small examples. ``Dense.of`` makes one of any linear operator.

    Attributes:
        matrix: (m, d), d the number of values of one example.
        shape: of one example, (d,) where it is not given.
        measured: shape of what is measured of one example, (m,) where it is not given.

    Raises:
        InputError: a matrix that does not fit the shapes or is not finite, or an example too large.
    """

    matrix: Any
    shape: tuple[int, ...] = static(())
    measured: tuple[int, ...] = static(())
    left: Array = derived()
    values: Array = derived()
    right: Rotation = derived()

    def __post_init__(self) -> None:
        matrix = np.asarray(self.matrix, np.float64)
        if matrix.ndim != 2 or not np.isfinite(matrix).all():
            found = f"an array of shape {matrix.shape}"
            raise InputError("Dense.matrix", found, "two axes (measured, d) of finite numbers")
        shape, measured = self.shape or matrix.shape[1:], self.measured or matrix.shape[:1]
        require_shape("Dense", shape)
        _require_small(shape)
        if matrix.shape != (math.prod(measured), math.prod(shape)):
            expected = f"(values of {measured}, values of {shape})"
            raise InputError("Dense.matrix", f"an array of shape {matrix.shape}", expected)
        left, values, right = rotated(matrix)
        for name, array in (("matrix", matrix), ("left", left), ("values", values)):
            object.__setattr__(self, name, jnp.asarray(array, jnp.result_type(float)))
        object.__setattr__(self, "right", right)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "measured", measured)

    @classmethod
    def of(cls, operator: LinearOperator) -> Dense:
        """The matrix of a linear operator, column by column; measures of the same shape."""
        require_linear("Dense.of", operator)
        _require_small(operator.shape)
        size = math.prod(operator.shape)
        columns = _apply(operator, jnp.eye(size).reshape(size, *operator.shape))
        matrix = np.asarray(columns).reshape(size, -1).T
        return cls(matrix=matrix, shape=operator.shape, measured=columns.shape[1:])

    def __call__(self, x: Batch) -> Batch:
        """A x."""
        return _rows(x, self.matrix.T).reshape(-1, *self.measured)

    def adjoint(self, y: Batch) -> Batch:
        """A^T y."""
        return _rows(y, self.matrix).reshape(-1, *self.shape)

    @property
    def measured_shape(self) -> tuple[int, ...]:
        """Shape of what is measured of one example."""
        return self.measured

    @property
    def singular_values(self) -> Array:
        """Of the matrix, falling, (d,); zeros after the last."""
        return self.values

    def to_spectrum(self, x: Batch) -> Batch:
        """V^T x, (batch, d)."""
        return self.right.onto(x.reshape(len(x), -1))

    def from_spectrum(self, z: Batch) -> Batch:
        """V z."""
        return self.right.back(z).reshape(-1, *self.shape)

    def replaced(self, x: Batch, z: Batch, there: Array) -> Batch:
        """x + V (z - V^T x) in as many columns of V as the smaller side of A is long."""
        few = min(self.matrix.shape)
        columns = self.right.columns(few)
        change = jnp.where(there[..., :few], z[:, :few] - _rows(x, columns), 0)
        return x + _rows(change, columns.T).reshape(x.shape)

    def measured_spectrum(self, y: Batch) -> Batch:
        """U^T y."""
        return _rows(y, self.left)

    def weighted_adjoint(self, y: Batch, signal: Time, noise: Time) -> Batch:
        """A^T (signal A A^T + noise I)^-1 y, in as many columns of V as the smaller side of A is long."""
        few = min(self.matrix.shape)
        values, z = self.values[:few], _rows(y, self.left[:, :few])
        signal, noise = expand(jnp.asarray(signal), z), expand(jnp.asarray(noise), z)
        total = signal * jnp.square(values) + noise
        solvable = (total > 0) & (self.kept[:few] | (noise > 0))
        z = jnp.where(solvable, values * z / jnp.where(solvable, total, 1), 0)
        return _rows(z, self.right.columns(few).T).reshape(-1, *self.shape)


@jax.jit
def _apply(operator: LinearOperator, x: Batch) -> Batch:
    return operator(x)


def _rows(x: Batch, matrix: Array) -> Array:
    """Flattened examples times a matrix."""
    return full_matmul(x.reshape(x.shape[0], -1), matrix)


def _require_small(shape: tuple[int, ...]) -> None:
    if math.prod(shape) > LARGEST:
        remedy = "use an operator that is not a matrix, or smaller images"
        raise InputError("Dense.shape", shape, f"at most {LARGEST} values", remedy)
