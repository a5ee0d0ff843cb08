"""Loops over independent draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.typing import Array


def stacked(one: Callable[[Array], Any], count: int) -> Any:
    """one(0), ..., one(count - 1), stacked along a first axis, one after the other.

    A single one is not put in a loop: XLA's CPU backend compiles gradients of convolutions badly there.
    """
    if count == 1:
        return jax.tree.map(lambda leaf: leaf[None], one(jnp.asarray(0)))
    return jax.lax.map(one, jnp.arange(count))
