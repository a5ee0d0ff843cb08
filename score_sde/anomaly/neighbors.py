"""Distances to the nearest of many examples."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.arrays import flatten
from score_sde.typing import Array, Batch

ROWS = 16  # examples whose distances are in memory at once


def distances(x: Batch, data: Batch, k: int) -> Array:
    """Euclidean distances (batch, k) to the k nearest of ``data``, ascending; fewer where there are fewer.

    Differences are taken first, so that near examples of large values keep their digits.
    """
    rows = flatten(data)
    k = min(k, len(rows))

    def nearest(example: Array) -> Array:
        squares = jnp.sum(jnp.square(example - rows), axis=1)
        return jnp.sqrt(-jax.lax.top_k(-squares, k)[0])

    return jax.lax.map(nearest, flatten(x), batch_size=ROWS)
