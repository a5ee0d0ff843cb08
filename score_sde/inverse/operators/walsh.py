"""The Walsh-Hadamard transform of vectors of any length."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from score_sde.inverse.operators.axes import along
from score_sde.inverse.operators.hartley import hartley
from score_sde.typing import Array, Batch

RADIX = 16  # rows of a Hadamard matrix that is multiplied with at once


def walsh_hadamard(x: Batch) -> Batch:
    """(H_p x R_m) x / sqrt(p) for rows x of length p m, with p a power of two and m odd.

    H_p is Hadamard's matrix of Sylvester, in products with matrices of 16 rows: 16 log16(p) operations a
    value. R_m is the orthonormal Hartley transform, the number one where the length is a power of two. The
    whole is symmetric, orthogonal and its own inverse.
    """
    length = x.shape[-1]
    power = length & -length
    odd, sides = length // power, _sides(power)
    x = along(x.reshape(-1, *sides, odd), [_hadamard(side, x.dtype) for side in sides])
    return (x if odd == 1 else hartley(x, (x.ndim - 1,))).reshape(-1, length)


def _sides(power: int) -> list[int]:
    """Factors of a power of two that are RADIX, and one that is less."""
    sides = []
    while power > 1:
        sides.append(min(RADIX, power))
        power //= sides[-1]
    return sides


def _hadamard(side: int, dtype: jnp.dtype) -> Array:
    """Orthonormal: the sign of row i, column j is the parity of the binary digits that i and j share."""
    shared = np.arange(side)[:, None] & np.arange(side)
    return jnp.asarray((-1.0) ** np.bitwise_count(shared) / math.sqrt(side), dtype)
