"""The only helpers that know where the batch axis is."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.typing import Array, Batch, Key, PerExample, Time


def expand(values: Array | float, like: Array) -> Array:
    """Append axes of size one, so that per-example (or scalar) ``values`` broadcast over ``like``."""
    values = jnp.asarray(values)
    return values.reshape(values.shape + (1,) * (jnp.ndim(like) - values.ndim if values.ndim else 0))


def per_example(t: Time | float, x: Batch) -> PerExample:
    """Broadcast a time (scalar or per example) to one floating value per example of ``x``."""
    return jnp.broadcast_to(jnp.asarray(t, dtype=x.dtype), x.shape[:1])


def flatten(x: Batch) -> Array:
    """One row per example: (batch, *event) -> (batch, dimensions)."""
    return x.reshape(x.shape[0], -1)


def sum_per_example(x: Batch) -> PerExample:
    """Sum over all axes but the first."""
    return jnp.sum(flatten(x), axis=1)


def mean_per_example(x: Batch) -> PerExample:
    """Mean over all axes but the first."""
    return jnp.mean(flatten(x), axis=1)


def half_sum_per_example(x: Batch) -> PerExample:
    """Half the sum over all axes but the first: the original code's ``reduce_mean=False``."""
    return 0.5 * sum_per_example(x)


def norm_per_example(x: Batch) -> PerExample:
    """Euclidean norm over all axes but the first."""
    return jnp.linalg.norm(flatten(x), axis=1)


def normal_like(key: Key, x: Array) -> Array:
    """Standard normal noise with the shape and dtype of ``x``.

    In place of a key there may be anything that has a ``normal_like`` of its own (``samplers.Noise``).
    """
    if hasattr(key, "normal_like"):
        return key.normal_like(x)
    return jax.random.normal(key, x.shape, x.dtype)
