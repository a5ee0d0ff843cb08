"""Systems in the units and the layout of the models that are learnt of them."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from score_sde.arrays import normal_like
from score_sde.dynamics.base import System
from score_sde.errors import InputError
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Key


class InUnits(System):
    """A system whose states are fields (*space, channels) in model space; its noise stays the system's own.

    Filters, forecasts and models then speak of the same states.

    Attributes:
        system: in its own units.
        mean, std: x = (raw - mean) / std; numbers, or arrays that go with the field's last axes.
        field: shape of a state, as many values as the system's.
    """

    system: Any
    mean: Any = 0.0
    std: Any = 1.0
    field: tuple[int, ...] = static()

    def __post_init__(self) -> None:
        size = math.prod(self.system.shape)
        if math.prod(self.field) != size:
            raise InputError("InUnits.field", self.field, f"{size} values, as of {self.system.shape}")

    @property
    def shape(self) -> tuple[int, ...]:
        """The field."""
        return self.field

    def encode(self, raw: Array) -> Array:
        """Model space (..., *field) of states (..., *system.shape)."""
        axes = len(self.system.shape)
        raw = jnp.asarray(raw)
        return (raw.reshape(*raw.shape[: raw.ndim - axes], *self.field) - self.mean) / self.std

    def decode(self, x: Array) -> Array:
        """States (..., *system.shape) of model space."""
        raw = self.mean + self.std * jnp.asarray(x)
        return raw.reshape(*raw.shape[: raw.ndim - len(self.field)], *self.system.shape)

    def advance(self, x: Batch) -> Batch:
        """Mean of the next state."""
        return self.encode(self.system.advance(self.decode(x)))

    def step(self, key: Key, x: Batch) -> Batch:
        """A draw of the next state: the system's own."""
        return self.advance(x) + self.system.noise * normal_like(key, x) / self.std

    def start(self, key: Key, n: int) -> Batch:
        """States to begin at."""
        return self.encode(self.system.start(key, n))
