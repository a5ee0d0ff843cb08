"""Operators that treat rows, columns and channels one after the other, decomposed by small matrices."""

from __future__ import annotations

import math
from abc import abstractmethod

import jax.numpy as jnp
import numpy as np

from score_sde.inverse.base import SpectralOperator
from score_sde.inverse.operators.axes import along, decompose
from score_sde.inverse.operators.checks import require_shape
from score_sde.pytree import derived
from score_sde.typing import Array, Batch


class Separable(SpectralOperator):
    """A = A_1 x A_2 x I, a Kronecker product: one matrix for each axis but that of the channels.

    With A_i = U_i S_i V_i^T the decomposition is (U_1 x U_2)(S_1 x S_2)(V_1 x V_2)^T, so that an image of
    256 x 256 needs only matrices of 256 x 256. A subclass writes ``matrices``.
    """

    factors: tuple[Array, ...] = derived()
    lefts: tuple[Array, ...] = derived()
    axis_values: tuple[Array, ...] = derived()
    rights: tuple[Array, ...] = derived()

    def __post_init__(self) -> None:
        require_shape(type(self).__name__, self.shape, least_axes=2)
        matrices = self.matrices()
        parts = [matrices, *zip(*map(decompose, matrices), strict=True)]
        for name, arrays in zip(("factors", "lefts", "axis_values", "rights"), parts, strict=True):
            kept = tuple(jnp.asarray(array, jnp.result_type(float)) for array in arrays)
            object.__setattr__(self, name, kept)

    @abstractmethod
    def matrices(self) -> list[np.ndarray]:
        """A matrix (measured, size) for each axis of ``shape`` but the last, in float64."""

    def __call__(self, x: Batch) -> Batch:
        """A x."""
        return along(x, self.factors)

    def adjoint(self, y: Batch) -> Batch:
        """A^T y."""
        return along(y, (factor.T for factor in self.factors))

    @property
    def singular_values(self) -> Array:
        """Products of the factors' singular values, alike for all channels."""
        axes = len(self.axis_values)
        columns = [values.reshape((-1,) + (1,) * (axes - i)) for i, values in enumerate(self.axis_values)]
        return jnp.broadcast_to(math.prod(columns[1:], start=columns[0]), self.shape)

    def to_spectrum(self, x: Batch) -> Batch:
        """(V_1 x V_2)^T x."""
        return along(x, (right.T for right in self.rights))

    def from_spectrum(self, z: Batch) -> Batch:
        """(V_1 x V_2) z."""
        return along(z, self.rights)

    def measured_spectrum(self, y: Batch) -> Batch:
        """(U_1 x U_2)^T y."""
        return along(y, (left.T for left in self.lefts))
