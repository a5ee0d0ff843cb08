"""Units: how raw data become the model's values and back, and what that does to densities."""

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
    """Raw data units and model space (most often [-1, 1]), and the volume factor between them."""

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

    def place(self, raw: ArrayLike, share: ArrayLike) -> Batch:
        """The point of model space a ``share`` (0 to 1) of the way through the cell of each integer.

        InputError for units whose values have no cells.
        """
        del raw, share
        raise self._without_levels()

    @property
    def level_values(self) -> Array:
        """The points of model space that the levels stand for, (levels,); InputError where there are none."""
        raise self._without_levels()

    def _without_levels(self) -> InputError:
        expected = "integer levels (UniformDequantization, Rescaled)"
        remedy = "real values need no discrete bound: take DequantizedBound with UniformNoise"
        return InputError("units", type(self).__name__, expected, remedy)

    @property
    def interval(self) -> tuple[float, float]:
        """The values of model space that are black and white in a picture."""
        return -1.0, 1.0

    def of_picture(self, key: Key, brightness: Array) -> Batch:
        """Model space from brightness, 0 (black) to 1 (white); ``key`` serves dequantisation noise."""
        del key
        low, high = self.interval
        return low + (high - low) * jnp.asarray(brightness)

    @property
    def dequantized(self) -> Units:
        """The units whose ``encode`` spreads integers over their cells, for likelihoods of trained models.

        A density at isolated points bounds no code length (Theis et al. 2016, section 3.1), so data that
        training leaves at its levels is spread before it is measured.
        """
        return self

    def bits_per_dim(self, nats: Any, dimensions: int) -> Array:
        """-(log p(x) / dimensions + log |dx / d raw|) / log 2, from log p(x) in model space.

        For dequantised integers this bounds the bits per dimension of the discrete data from above
        (Theis et al. 2016, section 3.1); for continuous data it is the differential code length per
        raw unit.
        """
        return -(nats / dimensions + self.log_scale) / math.log(2)


class Levels(Units):
    """Integers 0..levels-1, and the interval [low, high] of model space that they are put on.

    ``low`` and ``high`` are -1 and 1 for most models, 0 and 1 for those of Song and Ermon (2019, 2020) and
    the VE models of Song et al. (2021).
    """

    levels: int = static()
    low: float = static(-1.0)
    high: float = static(1.0)

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not (isinstance(self.levels, int) and self.levels >= 2):
            expected = "an integer of at least 2"
            raise InputError(f"{name}.levels", self.levels, expected, "count the distinct values")
        if not self.low < self.high:
            raise InputError(f"{name}.high", self.high, f"more than low = {self.low!r}", "raise it")

    @property
    def interval(self) -> tuple[float, float]:
        """``low`` and ``high``."""
        return self.low, self.high

    def check(self, raw: Array, where: str = "data") -> None:
        """Raise InputError unless all values are integers in 0..levels-1."""
        values = np.asarray(raw)
        good = (values >= 0) & (values <= self.levels - 1) & (values == np.floor(values))
        expected = f"integers from 0 to {self.levels - 1}"
        _raise_for_first(where, values, good, expected, "set the number of levels to the data's")


class UniformDequantization(Levels):
    """Integers with uniform noise: x = low + (high - low) (n + u) / levels, u ~ U[0, 1).

    Every integer owns a cell of width (high - low) / levels, so log |dx / d raw| is its logarithm, and the
    uniform density on [low, high] costs log2(levels) bits per dimension.
    """

    def encode(self, key: Key, raw: Array) -> Batch:
        """Each integer at a random place of its cell; ``decode`` gives ``raw`` back."""
        raw = _floating(raw)
        return self.place(raw, jax.random.uniform(key, raw.shape, raw.dtype))

    def place(self, raw: ArrayLike, share: ArrayLike) -> Batch:
        """low + (high - low) (raw + share) / levels."""
        raw = _floating(raw)
        x = self._place(raw + jnp.asarray(share))
        # Rounding can carry a share next to 0 or 1 into the neighbour's cell: those few go to the middle.
        return jnp.where(self.decode(x) == raw, x, self._place(raw + 0.5))

    @property
    def level_values(self) -> Array:
        """The middles of the cells."""
        return self._place(jnp.arange(self.levels, dtype=float) + 0.5)

    def decode(self, x: ArrayLike) -> Array:
        """floor((x - low) levels / (high - low)), cut to 0..levels-1; as floats, so that NaN stays NaN."""
        position = (jnp.asarray(x) - self.low) / (self.high - self.low) * self.levels
        return jnp.clip(jnp.floor(position), 0, self.levels - 1)

    @property
    def log_scale(self) -> float:
        """log((high - low) / levels)."""
        return math.log((self.high - self.low) / self.levels)

    def of_picture(self, key: Key, brightness: Array) -> Batch:
        """The nearest level, at a random place of its cell."""
        return self.encode(key, jnp.round(jnp.asarray(brightness) * (self.levels - 1)))

    def _place(self, position: Array) -> Array:
        return (self.high - self.low) * position / self.levels + self.low


class Rescaled(Levels):
    """Integers without noise: x = low + (high - low) n / (levels - 1), so that black is low and white high.

    What the published models were trained on (the original code with ``uniform_dequantization = False``,
    Karras et al. 2022, Dhariwal and Nichol 2021). ``dequantized`` puts the same integers into cells over the
    same interval, which is where the original code measures bits per dimension.
    """

    def encode(self, key: Key, raw: Array) -> Batch:
        """low + (high - low) raw / (levels - 1)."""
        del key
        return (self.high - self.low) * _floating(raw) / (self.levels - 1) + self.low

    def place(self, raw: ArrayLike, share: ArrayLike) -> Batch:
        """In the cells of ``dequantized``."""
        return self.dequantized.place(raw, share)

    @property
    def level_values(self) -> Array:
        """Where ``encode`` puts the levels."""
        return jnp.linspace(self.low, self.high, self.levels)

    def decode(self, x: ArrayLike) -> Array:
        """The nearest of the levels 0..levels-1; as floats, so that NaN stays NaN."""
        position = (jnp.asarray(x) - self.low) / (self.high - self.low) * (self.levels - 1)
        return jnp.clip(jnp.round(position), 0, self.levels - 1)

    @property
    def log_scale(self) -> float:
        """log((high - low) / (levels - 1))."""
        return math.log((self.high - self.low) / (self.levels - 1))

    @property
    def dequantized(self) -> UniformDequantization:
        """``UniformDequantization`` over the same interval."""
        return UniformDequantization(levels=self.levels, low=self.low, high=self.high)


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
        return (_floating(raw) - self.low) * (2 / (self.high - self.low)) - 1

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


def _floating(raw: ArrayLike) -> Array:
    raw = jnp.asarray(raw)
    return raw.astype(jnp.result_type(raw, float))


def _raise_for_first(where: str, values: np.ndarray, good: np.ndarray, expected: str, remedy: str) -> None:
    if not good.all():
        raise InputError(where, values[~good].flat[0].item(), expected, remedy)
