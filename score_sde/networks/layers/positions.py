"""How tokens are told their places on a grid of any number of axes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.base import Frozen
from score_sde.typing import Array


class Rotation(NamedTuple):
    """Turns the pairs (x_i, x_(i + d/2)) of each token by angles of its own; (tokens, d/2) both."""

    cos: Array | np.ndarray
    sin: Array | np.ndarray

    def __call__(self, x: Array) -> Array:
        """(B, tokens, heads, d) -> the same, of the same lengths."""
        cos, sin = (jnp.asarray(part, x.dtype)[:, None] for part in self)
        first, second = jnp.split(x, 2, axis=-1)
        return jnp.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)


class Positions:
    """None: attention then treats tokens as a set. Subclasses add a table to tokens, or turn q and k."""

    def table(self, grid: Sequence[int], width: int, rngs: nnx.Rngs) -> nnx.Param | None:
        """What is added to the tokens, (1, tokens, width)."""
        del grid, width, rngs
        return None

    def rotation(self, grid: Sequence[int], head_size: int, registers: int) -> Rotation | None:
        """How q and k are turned, the ``registers`` in front of the tokens by nothing."""
        del grid, head_size, registers
        return None


@dataclasses.dataclass(frozen=True)
class NoPositions(Positions):
    """The network of a set of patches: exchanged patches give exchanged outputs."""


@dataclasses.dataclass(frozen=True)
class SinCosPositions(Positions):
    """A fixed table of sines and cosines of each coordinate, ``Frozen`` (Peebles and Xie 2023)."""

    period: float = 10_000.0

    def table(self, grid: Sequence[int], width: int, rngs: nnx.Rngs) -> nnx.Param:
        """``sincos``."""
        del rngs
        return Frozen(jnp.asarray(sincos(grid, width, self.period)[None], jnp.float32))


@dataclasses.dataclass(frozen=True)
class LearnedPositions(Positions):
    """A learnt vector for each place, drawn with standard deviation 0.02 (Dosovitskiy et al. 2021)."""

    def table(self, grid: Sequence[int], width: int, rngs: nnx.Rngs) -> nnx.Param:
        """Random numbers."""
        return nnx.Param(0.02 * jax.random.normal(rngs.params(), (1, math.prod(grid), width), jnp.float32))


@dataclasses.dataclass(frozen=True)
class RotaryPositions(Positions):
    """q and k turned by angles proportional to the coordinates, so that q k sees their differences alone.

    Pairs of channels are dealt out to the axes in equal parts of n, and what remains is not turned (Su et al.
    2024, over several axes). The k-th of an axis, k = 0 .. n - 1, turns by period^(-k / n) radians a token.
    """

    period: float = 100.0

    def rotation(self, grid: Sequence[int], head_size: int, registers: int) -> Rotation:
        """The angles, (registers + tokens, head_size / 2)."""
        if head_size % 2 or head_size < 2 * len(grid):
            expected = f"an even number, at least {2 * len(grid)} for {len(grid)} axes"
            raise InputError("channels of a head", head_size, expected, "use fewer heads, or no rotation")
        pairs = head_size // 2
        speeds = _speeds(pairs // len(grid), self.period)
        angles = [place[:, None] * speeds for place in coordinates(grid)]
        whole = np.zeros((registers + math.prod(grid), pairs))
        turned = np.concatenate(angles, axis=1)
        whole[registers:, : turned.shape[1]] = turned
        return Rotation(np.cos(whole), np.sin(whole))


NO_POSITIONS, SINCOS, LEARNED, ROTARY = (
    NoPositions(),
    SinCosPositions(),
    LearnedPositions(),
    RotaryPositions(),
)


def coordinates(grid: Sequence[int]) -> list[np.ndarray]:
    """Of each axis, the place of every token on it, in the order of tokens."""
    places = np.meshgrid(*(np.arange(n, dtype=np.float64) for n in grid), indexing="ij")
    return [place.reshape(-1) for place in places]


def sincos(grid: Sequence[int], width: int, period: float = 10_000.0) -> np.ndarray:
    """[sin(w_k p), cos(w_k p)] of each coordinate p, w_k = period^(-k / n): (tokens, width).

    The last axis comes first, as in DiT; each has ``width`` over the number of axes channels, rounded down to
    an even number, and what is left over is zero.
    """
    n = width // (2 * len(grid))
    if n < 1:
        raise InputError("width", width, f"at least {2 * len(grid)} for {len(grid)} axes", "raise it")
    waves = []
    for place in reversed(coordinates(grid)):
        angles = place[:, None] * _speeds(n, period)
        waves += [np.sin(angles), np.cos(angles)]
    left = width - 2 * n * len(grid)
    return np.concatenate([*waves, np.zeros((math.prod(grid), left))], axis=1)


def _speeds(n: int, period: float) -> np.ndarray:
    return period ** (-np.arange(n) / n)
