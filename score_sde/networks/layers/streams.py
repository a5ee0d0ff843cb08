"""How the two streams of a reversible tower are held, so that what a block adds can be taken away again."""

from __future__ import annotations

import dataclasses
import functools
import math
from abc import ABC, abstractmethod
from typing import Any

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.networks.layers.linear import DType
from score_sde.typing import Array


class Streams(ABC):
    """Arrays that stand for values, with a sum and a difference that undo one another, or nearly so."""

    @abstractmethod
    def enter(self, hidden: Array) -> Array:
        """The stream of a value."""

    @abstractmethod
    def read(self, stream: Array) -> Array:
        """The value of a stream: what blocks see."""

    @abstractmethod
    def add(self, stream: Array, change: Array) -> tuple[Array, Any]:
        """The stream after a block, and what is kept of the change for the way back."""

    @abstractmethod
    def subtract(self, stream: Array, change: Array, kept: Any) -> Array:
        """The stream before it, by what the block gives the second time."""

    @abstractmethod
    def smooth(self) -> Streams:
        """Streams of nearly the same values that ordinary differentiation can follow."""


@dataclasses.dataclass(frozen=True)
class FloatStreams(Streams):
    """Floating-point numbers: (a + c) - c is a to the last digits but one.

    Streams are wider than what blocks compute in. Each rounding of a sum comes back as an error of the
    rebuilt activations and is fed to all blocks before: in bfloat16, with 8 bits, that is an error of half a
    percent from the start. Two arrays in float32 cost next to nothing: there are two whatever the depth.

    Attributes:
        least: the dtype, where that of the tokens is not wider.
    """

    least: DType = jnp.float32

    def enter(self, hidden: Array) -> Array:
        """Widened."""
        return hidden.astype(jnp.promote_types(hidden.dtype, self.least))

    def read(self, stream: Array) -> Array:
        """As it is."""
        return stream

    def add(self, stream: Array, change: Array) -> tuple[Array, None]:
        """a + c."""
        return stream + change, None

    def subtract(self, stream: Array, change: Array, kept: None) -> Array:
        """a - c."""
        return stream - change

    def smooth(self) -> Streams:
        """These."""
        return self


@dataclasses.dataclass(frozen=True)
class FixedPointStreams(Streams):
    """Multiples of 2^-bits as 32-bit integers, rebuilt to the last bit: (a + n) - n is a, also when it wraps.

    What a block adds is rounded to n steps of the grid, which gradients pass as if it were not there. The
    same block in the program of the way back is rounded differently, in float32 by some 1e-6, and might come
    out at n + 1: so the last ``kept`` binary digits of n are kept, a bit for each number and block, and n is
    the integer with these digits that is next to the second result. That is exact as long as the two results
    are less than 2^(kept - 1 - bits) apart, and values are right below 2^(31 - bits). (Zhang et al. 2024
    keep such a bit for what halving loses.)

    Attributes:
        bits: after the binary point, 1 to 24.
        kept: 1, 2, 4 or 8; where blocks compute in bfloat16, 4.
    """

    bits: int = 12
    kept: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 24:
            raise InputError("FixedPointStreams.bits", self.bits, "1 to 24", "12 holds values below 500000")
        if self.kept not in (1, 2, 4, 8):
            raise InputError("FixedPointStreams.kept", self.kept, "1, 2, 4 or 8", "1 serves float32")

    def enter(self, hidden: Array) -> Array:
        """The nearest multiple."""
        return jnp.round(self._steps(hidden)).astype(jnp.int32)

    def read(self, stream: Array) -> Array:
        """float32; rounded where the integer has more than 24 bits, to the same number each time."""
        return stream.astype(jnp.float32) * 2.0**-self.bits

    def add(self, stream: Array, change: Array) -> tuple[Array, Array]:
        """a + n modulo 2^32, and the last digits of n, packed into bytes."""
        steps = self.enter(change)
        return stream + steps, _packed(steps, self.kept)

    def subtract(self, stream: Array, change: Array, kept: Array) -> Array:
        """a - n modulo 2^32, n = d + 2^kept round((c 2^bits - d) / 2^kept) with the digits d."""
        digits = _unpacked(kept, self.kept, stream.shape)
        rest = jnp.round((self._steps(change) - digits) * 2.0**-self.kept).astype(jnp.int32)
        return stream - (digits + rest * 2**self.kept)

    def smooth(self) -> Streams:
        """Floating-point numbers."""
        return FLOAT_STREAMS

    def _steps(self, values: Array) -> Array:
        return values.astype(jnp.float32) * 2**self.bits


FLOAT_STREAMS = FloatStreams()


def _packed(steps: Array, kept: int) -> Array:
    """The last ``kept`` binary digits of all integers, 8 / kept of them in a byte."""
    digits = (steps.reshape(-1) & (2**kept - 1)).astype(jnp.uint8)
    digits = jnp.pad(digits, (0, -digits.size % (8 // kept))).reshape(8 // kept, -1)
    return functools.reduce(jnp.bitwise_or, [part << (i * kept) for i, part in enumerate(digits)])


def _unpacked(packed: Array, kept: int, shape: tuple[int, ...]) -> Array:
    """The digits again, int32 of ``shape``."""
    digits = jnp.concatenate([(packed >> (i * kept)) & (2**kept - 1) for i in range(8 // kept)])
    return digits[: math.prod(shape)].reshape(shape).astype(jnp.int32)
