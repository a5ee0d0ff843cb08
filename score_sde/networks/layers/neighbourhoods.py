"""What is around each pixel, in windows of an odd number of pixels along each axis."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.typing import Array


def neighbourhood_max(x: Array, size: int = 5) -> Array:
    """The largest value around: (B, *space, C) -> the same."""
    window = (1, *(size,) * (x.ndim - 2), 1)
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, (1,) * x.ndim, "SAME")


def neighbourhood_mean(x: Array, size: int = 5) -> Array:
    """The mean around, x being zero outside: (B, *space, C) -> the same."""
    window = (1, *(size,) * (x.ndim - 2), 1)
    total = jax.lax.reduce_window(x, 0.0, jax.lax.add, window, (1,) * x.ndim, "SAME")
    return total / size ** (x.ndim - 2)
