"""Matrices along the axes of images, and their decompositions."""

from __future__ import annotations

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.typing import Array, Batch


def decompose(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """matrix (m, n) = left (m, n) diag(values (n,)) right (n, n)^T, with an orthogonal ``right``.

    Where m < n the last values, and the columns of ``left`` that belong to them, are zero.
    """
    rows, columns = matrix.shape
    u, values, vh = np.linalg.svd(matrix.astype(np.float64), full_matrices=True)
    rank = min(rows, columns)
    left = np.zeros((rows, columns))
    left[:, :rank] = u[:, :rank]
    return left, np.pad(values, (0, columns - rank)), vh.T


def along(x: Batch, matrices: Iterable[Array]) -> Batch:
    """Multiply the axes of examples by matrices (m, n), in their order: n values become m."""
    for axis, matrix in enumerate(matrices, start=1):
        product = jnp.tensordot(matrix, x, axes=(1, axis), precision=jax.lax.Precision.HIGHEST)
        x = jnp.moveaxis(product, 0, axis)
    return x
