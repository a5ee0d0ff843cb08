"""Normal noise of one strength."""

from __future__ import annotations

import math

import jax.numpy as jnp

from score_sde.arrays import normal_like, sum_per_example
from score_sde.errors import InputError
from score_sde.inverse.base import Noise
from score_sde.typing import Array, Batch, Key, PerExample


class GaussianNoise(Noise):
    """y = A(x_0) + std * standard normal noise.

    ``std = 0`` measures exactly; ``log_prob`` then is -inf or undefined, and methods that need it say so.

    Attributes:
        std: in the units of y.
    """

    std: float = 0.05

    def __post_init__(self) -> None:
        if isinstance(self.std, str) or not (jnp.ndim(self.std) == 0 and 0 <= self.std < math.inf):
            raise InputError("GaussianNoise.std", self.std, "a number not below 0, in the units of y")

    def sample(self, key: Key, clean: Batch) -> Batch:
        """``clean`` and its noise."""
        return clean + self.std * normal_like(key, clean)

    def log_prob(self, y: Batch, clean: Batch) -> PerExample:
        """-|y - clean|^2 / (2 std^2) - (m / 2) log(2 pi std^2), m the values of one example."""
        scaled = sum_per_example(jnp.square((y - clean) / self.std))
        values = math.prod(jnp.broadcast_shapes(y.shape, clean.shape)[1:])
        return -0.5 * scaled - values * (0.5 * math.log(2 * math.pi) + jnp.log(self.std))

    def variance(self, y: Batch) -> Array:
        """std^2, whatever y is; of its type, if that has fractions."""
        return jnp.square(jnp.asarray(self.std, jnp.result_type(y, 0.0)))
