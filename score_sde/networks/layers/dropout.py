"""Dropout, and the keys for it."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.typing import Array, Key


def dropout(key: Key | None, x: Array, rate: float) -> Array:
    """Zero each value with probability ``rate``, and divide the others by 1 - rate; no key: x itself.

    ``rate`` is rounded to a multiple of 1/256, so that one random word serves four values: on a
    processor without a fast generator the random numbers would otherwise cost as much as the layer.
    """
    threshold = _dropout_threshold(rate)
    if key is None or threshold == 0:
        return x
    words = jax.random.bits(key, (-(-x.size // 4),), jnp.uint32)
    octets = jax.lax.bitcast_convert_type(words, jnp.uint8).reshape(-1)[: x.size].reshape(x.shape)
    return jnp.where(octets >= threshold, x * (256 / (256 - threshold)), 0).astype(x.dtype)


def _dropout_threshold(rate: float) -> int:
    threshold = round(256 * rate)
    if not 0 <= rate < 1 or threshold == 256 or (rate > 0 and threshold == 0):
        raise InputError("dropout", rate, "0, or a number from 0.002 to 0.998", "0 for none, 0.1 is usual")
    return threshold


def split_or_none(key: Key | None, n: int) -> Iterator[Key | None]:
    """``n`` keys from one, or ``n`` times None.

    One after the other, so that every use is the same program, which is compiled once: the places of keys
    in one large array would be constants that make each use another.
    """
    for _ in range(n):
        key, one = (None, None) if key is None else jax.random.split(key)
        yield one
