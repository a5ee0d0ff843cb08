"""Lorenz's convection in three numbers."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.dynamics.base import Flow
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Key


class Lorenz63(Flow):
    """x' = s (y - x), y' = x (r - z) - y, z' = x y - b z, s = 10, r = 28, b = 8/3 (Lorenz 1963).

    Chaotic: errors grow by e in about 1.1 units of time.
    """

    sigma: float = 10.0
    rho: float = 28.0
    beta: float = 8 / 3
    dt: float = 0.025
    substeps: int = static(2)

    @property
    def shape(self) -> tuple[int, ...]:
        """Three numbers."""
        return (3,)

    def rate(self, x: Batch) -> Array:
        """The three equations."""
        u, v, w = x[..., 0], x[..., 1], x[..., 2]
        return jnp.stack([self.sigma * (v - u), u * (self.rho - w) - v, u * v - self.beta * w], axis=-1)

    def start(self, key: Key, n: int) -> Batch:
        """About the middle between the two wings."""
        return jnp.array([0.0, 0.0, 25.0]) + 5.0 * jax.random.normal(key, (n, 3))
