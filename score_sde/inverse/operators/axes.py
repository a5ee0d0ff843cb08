"""Matrices along the axes of images, and their decompositions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.typing import Array, Batch


class Decomposition(NamedTuple):
    """matrix = left diag(values) right^T, each with as many columns as the matrix, by zeros if need be."""

    left: np.ndarray  # (m, n), orthonormal columns where the value is not zero
    values: np.ndarray  # (n,)
    right: np.ndarray  # (n, n), orthogonal


def decompose(matrix: np.ndarray) -> Decomposition:
    """The singular value decomposition of an (m, n) matrix, with a complete right basis."""
    rows, columns = matrix.shape
    u, values, vh = np.linalg.svd(matrix.astype(np.float64), full_matrices=True)
    rank = min(rows, columns)
    left = np.zeros((rows, columns))
    left[:, :rank] = u[:, :rank]
    return Decomposition(left, np.pad(values, (0, columns - rank)), vh.T)


def along(x: Batch, matrices: Iterable[Array]) -> Batch:
    """Multiply the axes of examples by matrices (m, n), in their order: n values become m."""
    for axis, matrix in enumerate(matrices, start=1):
        product = jnp.tensordot(matrix, x, axes=(1, axis), precision=jax.lax.Precision.HIGHEST)
        x = jnp.moveaxis(product, 0, axis)
    return x
