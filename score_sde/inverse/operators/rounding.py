"""Rounding that gradients pass through."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.typing import Array


def straight_round(x: Array) -> Array:
    """The nearest whole number; its derivative is taken as one (Bengio, Leonard and Courville 2013)."""
    return x + jax.lax.stop_gradient(jnp.round(x) - x)
