"""Lorenz's ring of weather."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.dynamics.base import Flow
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Key


class Lorenz96(Flow):
    """dx_i/dt = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + forcing, on a ring (Lorenz 1996).

    Chaotic for forcing 8 and 40 places. Without forcing and damping sum x_i^2 would be kept.
    """

    places: int = static(40)
    forcing: float = 8.0
    dt: float = 0.05
    substeps: int = static(2)

    @property
    def shape(self) -> tuple[int, ...]:
        """One number at each place."""
        return (self.places,)

    def rate(self, x: Batch) -> Array:
        """Advection, damping, forcing."""
        after, before, two_before = (jnp.roll(x, shift, axis=-1) for shift in (-1, 1, 2))
        return (after - two_before) * before - x + self.forcing

    def start(self, key: Key, n: int) -> Batch:
        """About rest."""
        return self.forcing + jax.random.normal(key, (n, self.places))
