"""Random mixtures of all pixels: compressed sensing."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.inverse.base import SpectralOperator
from score_sde.inverse.operators.checks import require_shape
from score_sde.inverse.operators.walsh import walsh_hadamard
from score_sde.pytree import derived, static
from score_sde.typing import Array, Batch


class HadamardSensing(SpectralOperator):
    """``n`` random rows of H diag(signs): a Walsh-Hadamard transform of all values with random signs.

    The rows are orthonormal: A A^T = I, V = diag(signs) H. Where the number of values is not a power of two,
    H is the Hadamard matrix of its power of two times the Hartley transform of the odd factor.

    Attributes:
        n: how many mixtures are measured.
        seed: of the signs and rows.

    Raises:
        InputError: more mixtures than values.
    """

    n: int = static()
    seed: int = static(0)
    signs: Array = derived()
    indices: Array = derived()

    def __post_init__(self) -> None:
        require_shape("HadamardSensing", self.shape)
        size = math.prod(self.shape)
        if not isinstance(self.n, int) or isinstance(self.n, bool) or not 1 <= self.n <= size:
            expected = f"a whole number from 1 to {size}, the values of the shape {self.shape}"
            raise InputError("HadamardSensing.n", self.n, expected)
        generator = np.random.default_rng(self.seed)
        signs = generator.choice([-1.0, 1.0], size)
        rows = np.sort(generator.permutation(size)[: self.n])
        object.__setattr__(self, "signs", jnp.asarray(signs, jnp.result_type(float)))
        object.__setattr__(self, "indices", jnp.asarray(rows, jnp.int32))

    def __call__(self, x: Batch) -> Batch:
        """The mixtures, (batch, n)."""
        return self.to_spectrum(x)[:, self.indices]

    def adjoint(self, y: Batch) -> Batch:
        """A^T y."""
        return self.from_spectrum(self.measured_spectrum(y))

    @property
    def singular_values(self) -> Array:
        """One for the rows that are measured, zero for the others, (values of an example,)."""
        return jnp.zeros(self.signs.shape, self.signs.dtype).at[self.indices].set(1)

    def to_spectrum(self, x: Batch) -> Batch:
        """H diag(signs) x."""
        return walsh_hadamard(x.reshape(x.shape[0], -1) * self.signs)

    def from_spectrum(self, z: Batch) -> Batch:
        """diag(signs) H z."""
        return (walsh_hadamard(z) * self.signs).reshape(-1, *self.shape)

    def measured_spectrum(self, y: Batch) -> Batch:
        """What was measured at its row, zeros at the others."""
        empty = jnp.zeros((y.shape[0], math.prod(self.shape)), y.dtype)
        return empty.at[:, self.indices].set(y, unique_indices=True, indices_are_sorted=True)
