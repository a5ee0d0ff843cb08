"""The Walsh-Hadamard transform of vectors of any length."""

from __future__ import annotations

import math

import jax.numpy as jnp

from score_sde.inverse.operators.hartley import hartley
from score_sde.typing import Array


def walsh_hadamard(x: Array) -> Array:
    """(H_p x R_m) x / sqrt(p) over the last axis, of length p m with p a power of two and m odd.

    H_p is Hadamard's matrix of Sylvester, by log2(p) rounds of sums and differences; R_m the orthonormal
    Hartley transform, which is the number one where the length is a power of two. Symmetric, orthogonal, its
    own inverse.
    """
    length = x.shape[-1]
    power = length & -length
    lead, odd = x.shape[:-1], length // power
    half = 1
    while half < power:
        pairs = x.reshape(*lead, -1, 2, half * odd)
        first, second = pairs[..., 0, :], pairs[..., 1, :]
        x = jnp.stack([first + second, first - second], axis=-2)
        half *= 2
    x = x.reshape(*lead, power, odd) / math.sqrt(power)
    return (x if odd == 1 else hartley(x, (x.ndim - 1,))).reshape(*lead, length)
