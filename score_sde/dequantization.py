"""Units: how raw data become the model's values in [-1, 1] and back, and what that does to densities."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from score_sde.errors import InputError
from score_sde.pytree import Pytree, static
from score_sde.typing import Array, Batch, Key


class Units(Pytree, ABC):
    """Raw data units and model space [-1, 1], and the volume factor between them."""

    @abstractmethod
    def encode(self, key: Key, raw: Array) -> Batch:
        """Raw data to model space; ``key`` serves dequantisation noise."""

    @abstractmethod
    def decode(self, x: ArrayLike) -> Array:
        """Model space to raw data units."""

    @abstractmethod
    def check(self, raw: Array, where: str = "data") -> None:
        """Raise InputError naming the first value of the concrete array ``raw`` that does not belong."""

    @property
    @abstractmethod
    def log_scale(self) -> float:
        """log |dx / d raw| of one dimension."""

    def bits_per_dim(self, nats: Any, dimensions: int) -> Array:
        """-(log p(x) / dimensions + log |dx / d raw|) / log 2, from log p(x) in model space.

        For dequantised integers this bounds the bits per dimension of the discrete data from above
        (Theis et al. 2016, section 3.1); for continuous data it is the differential code length per
        raw unit.
        """
        return -(nats / dimensions + self.log_scale) / math.log(2)


class UniformDequantization(Units):
    """Integers 0..levels-1 with uniform noise: x = 2 (n + u) / levels - 1, u ~ U[0, 1).

    Every integer owns a cell of width 2 / levels, so log |dx / d raw| = log(2 / levels) and the
    uniform density on [-1, 1] costs log2(levels) bits per dimension.
    """

    levels: int = static()

    def __post_init__(self) -> None:
        if not (isinstance(self.levels, int) and self.levels >= 2):
            expected = "an integer of at least 2"
            raise InputError(
                "UniformDequantization.levels", self.levels, expected, "count the distinct values"
            )

    def encode(self, key: Key, raw: Array) -> Batch:
        """2 (raw + u) / levels - 1; ``decode`` gives ``raw`` back."""
        raw = jnp.asarray(raw)
        raw = raw.astype(jnp.result_type(raw, float))
        x = self._place(raw + jax.random.uniform(key, raw.shape, raw.dtype))
        # Rounding can carry a u next to 0 or 1 into the neighbour's cell: those few go to the middle.
        return jnp.where(self.decode(x) == raw, x, self._place(raw + 0.5))

    def decode(self, x: ArrayLike) -> Array:
        """floor((x + 1) levels / 2), cut to 0..levels-1; integers as floats, so that NaN stays NaN."""
        return jnp.clip(jnp.floor(0.5 * (x + 1) * self.levels), 0, self.levels - 1)

    def check(self, raw: Array, where: str = "data") -> None:
        """Raise InputError unless all values are integers in 0..levels-1."""
        values = np.asarray(raw)
        good = (values >= 0) & (values <= self.levels - 1) & (values == np.floor(values))
        expected = f"integers from 0 to {self.levels - 1}"
        _raise_for_first(where, values, good, expected, "set the number of levels to the data's")

    @property
    def log_scale(self) -> float:
        """log(2 / levels)."""
        return math.log(2 / self.levels)

    def _place(self, position: Array) -> Array:
        return 2 * position / self.levels - 1


class Continuous(Units):
    """Real values in [low, high], mapped linearly onto [-1, 1]."""

    low: float = static(-1.0)
    high: float = static(1.0)

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InputError("Continuous.high", self.high, f"more than low = {self.low!r}", "raise it")

    def encode(self, key: Key, raw: Array) -> Batch:
        """2 (raw - low) / (high - low) - 1."""
        del key
        raw = jnp.asarray(raw)
        raw = raw.astype(jnp.result_type(raw, float))
        return (raw - self.low) * (2 / (self.high - self.low)) - 1

    def decode(self, x: ArrayLike) -> Array:
        """low + (x + 1) (high - low) / 2. Model samples may lie beyond the range; they are not cut."""
        return self.low + 0.5 * (jnp.asarray(x) + 1) * (self.high - self.low)

    def check(self, raw: Array, where: str = "data") -> None:
        """Raise InputError unless all values are in [low, high]."""
        values = np.asarray(raw)
        good = (values >= self.low) & (values <= self.high)
        _raise_for_first(where, values, good, f"values from {self.low} to {self.high}", "widen the range")

    @property
    def log_scale(self) -> float:
        """log(2 / (high - low))."""
        return math.log(2 / (self.high - self.low))


def _raise_for_first(where: str, values: np.ndarray, good: np.ndarray, expected: str, remedy: str) -> None:
    if not good.all():
        raise InputError(where, values[~good].flat[0].item(), expected, remedy)
