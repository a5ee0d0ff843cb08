"""The orthogonal V of A = U S V^T, as whatever multiplies by it in the fewest operations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.linalg

from score_sde.inverse.operators.axes import decompose
from score_sde.products import full_matmul
from score_sde.pytree import Pytree
from score_sde.typing import Array, Batch

NARROW = 3  # how often a matrix with few rows must be longer than high for reflections to cost less


class Rotation(Pytree, ABC):
    """An orthogonal matrix V, (d, d)."""

    @abstractmethod
    def onto(self, x: Batch) -> Batch:
        """V^T x of each row of (n, d)."""

    @abstractmethod
    def back(self, z: Batch) -> Batch:
        """V z of each row."""

    @abstractmethod
    def columns(self, few: int) -> Array:
        """The first columns of V, (d, few)."""


class Columns(Rotation):
    """V as a matrix."""

    matrix: Any

    def onto(self, x: Batch) -> Batch:
        """A product with all of it."""
        return full_matmul(x, self.matrix)

    def back(self, z: Batch) -> Batch:
        """A product with all of it."""
        return full_matmul(z, self.matrix.T)

    def columns(self, few: int) -> Array:
        """As they are."""
        return self.matrix[:, :few]


class Reflections(Rotation):
    """V = (I - W Y^T) diag(signs), whose first columns are those given and whose others complete them.

    The product of as many Householder reflections as columns are given, in compact form (Schreiber and Van
    Loan 1989): 4 d k operations for an example and k columns, where a matrix takes 2 d^2.
    """

    first: Any  # (d, k), the first columns of V
    w: Any  # (d, k)
    y: Any  # (d, k)
    signs: Any  # (d,), each 1 or -1

    @classmethod
    def of(cls, first: np.ndarray) -> Reflections:
        """Completes orthonormal columns (d, k)."""
        (packed, tau), upper = scipy.linalg.qr(first, mode="raw")
        size, few = first.shape
        y = np.tril(packed, -1)[:, :few] + np.eye(size, few)
        inner = np.zeros((few, few))  # of I - Y inner Y^T, a reflection more at a time
        for k in range(few):
            inner[:k, k] = -tau[k] * inner[:k, :k] @ (y[:, :k].T @ y[:, k])
            inner[k, k] = tau[k]
        signs = np.ones(size)
        signs[:few] = np.sign(np.diag(upper)[:few])
        parts = {"first": first, "w": y @ inner, "y": y, "signs": signs}
        return cls(**{name: jnp.asarray(part, jnp.result_type(float)) for name, part in parts.items()})

    def onto(self, x: Batch) -> Batch:
        """Two products with k columns."""
        return (x - full_matmul(full_matmul(x, self.w), self.y.T)) * self.signs

    def back(self, z: Batch) -> Batch:
        """Two products with k columns."""
        z = z * self.signs
        return z - full_matmul(full_matmul(z, self.y), self.w.T)

    def columns(self, few: int) -> Array:
        """Those that were given."""
        return self.first[:, :few]


def rotated(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, Rotation]:
    """matrix (m, d) = left (m, d) diag(values (d,)) V^T; where m < d, zeros follow the m-th of both."""
    rows, size = matrix.shape
    if NARROW * rows > size:
        left, values, right = decompose(matrix)
        return left, values, Columns(matrix=jnp.asarray(right, jnp.result_type(float)))
    u, values, vh = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    more = size - rows
    return np.pad(u, ((0, 0), (0, more))), np.pad(values, (0, more)), Reflections.of(vh.T)
