"""Scores of many examples, by one compiled program for batches of one size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.typing import Array, Batch, Key

BATCH = 256


def in_batches(
    function: Any,
    model: Any,
    x: Batch | np.ndarray,
    key: Key,
    *,
    batch_size: int = BATCH,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Array:
    """``function(model, x, key)`` of all rows, in batches of ``batch_size`` of which the last is filled up.

    ``function`` is a pytree, such as a score; scores of one structure compile once. ``tell(done, total)`` is
    called after each batch.
    """
    x, found = np.asarray(x), []
    for start in range(0, len(x), batch_size):
        part = x[start : start + batch_size]
        filled = np.concatenate([part, np.repeat(part[-1:], batch_size - len(part), axis=0)])
        found.append(_compiled(function, model, jnp.asarray(filled), key)[: len(part)])
        tell(min(start + batch_size, len(x)), len(x))
    return jnp.concatenate(found)


@jax.jit
def _compiled(function: Any, model: Any, x: Batch, key: Key) -> Array:
    return function(model, x, key)
