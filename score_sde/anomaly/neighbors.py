"""Distances to the nearest of many examples."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.arrays import flatten
from score_sde.typing import Array, Batch

ROWS = 16  # examples whose distances are in memory at once


def distances(x: Batch, data: Batch, k: int, same: float = 0.0) -> Array:
    """Euclidean distances (batch, k) to the k nearest of ``data``, ascending; fewer where there are fewer.

    An example no further than ``same`` from one of the data is that one, which is no neighbour of its own:
    training data are compared to the others. Differences are taken first, so that near examples of large
    values keep their digits.
    """
    rows = flatten(data)
    if len(rows) == 1:
        return jnp.linalg.norm(flatten(x) - rows, axis=1, keepdims=True)
    k = min(k, len(rows) - 1)

    def nearest(example: Array) -> Array:
        squares = jnp.sum(jnp.square(example - rows), axis=1)
        near = jnp.sqrt(-jax.lax.top_k(-squares, k + 1)[0])
        return jnp.where(near[0] <= same, near[1:], near[:-1])

    return jax.lax.map(nearest, flatten(x), batch_size=ROWS)
