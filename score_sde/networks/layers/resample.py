"""Halving and doubling the resolution: (B, *space, C) with one or two axes of space."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.typing import Array


class Resampling(ABC):
    """A way to halve and to double every axis of space."""

    @abstractmethod
    def down(self, x: Array) -> Array:
        """(B, *space, C) -> (B, *space / 2, C)."""

    @abstractmethod
    def up(self, x: Array) -> Array:
        """(B, *space, C) -> (B, *2 space, C)."""

    @abstractmethod
    def smoothed(self, x: Array) -> Array:
        """The filter of ``down`` at every pixel and at the one before the first: (B, *space + 1, C).

        x is zero outside. A strided 3x3 convolution of it, without padding, is the filtered half of the
        unstrided one.
        """

    @abstractmethod
    def spread(self, x: Array) -> Array:
        """``up`` of x with one pixel more on every side: (B, *2 space + 2, C).

        x is zero outside. A 3x3 convolution of it, without padding, is what doubling the resolution by a
        transposed convolution and the filter gives.
        """


@dataclasses.dataclass(frozen=True)
class Plain(Resampling):
    """Averages of blocks, and repeated pixels."""

    def down(self, x: Array) -> Array:
        """Means over blocks of two pixels along each axis."""
        return average_pool(x)

    def up(self, x: Array) -> Array:
        """Each pixel twice along each axis."""
        return nearest_upsample(x)

    def smoothed(self, x: Array) -> Array:
        """Means of each pixel and the next along each axis."""
        return _smoothed(x, [0.5, 0.5])

    def spread(self, x: Array) -> Array:
        """Each pixel twice, and zeros around."""
        return jnp.pad(nearest_upsample(x), [(0, 0), *[(1, 1)] * (x.ndim - 2), (0, 0)])


class Naive(Plain):
    """``Plain``, but a strided convolution sees x itself, with a zero after the last pixel.

    The networks of Ho et al. 2020 and Song et al. 2021 (their code's models without ``fir``).
    """

    def smoothed(self, x: Array) -> Array:
        """x, and a zero at the end of each axis."""
        return jnp.pad(x, [(0, 0), *[(0, 1)] * (x.ndim - 2), (0, 0)])


@dataclasses.dataclass(frozen=True)
class FIR(Resampling):
    """A separable smoothing filter before every second pixel, or after zeros between pixels.

    down: y_i = sum_j k_j x_(2i + j - p), up: the same with 2 k on x with zeros in between, where k sums to
    one and is centred, and x is zero outside (Zhang 2019; StyleGAN2, Karras et al. 2020; Song et al. 2021,
    appendix H, with k = (1, 3, 3, 1) / 8).
    """

    kernel: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kernel", tuple(float(k) for k in self.kernel))
        if len(self.kernel) < 2 or not sum(self.kernel):
            raise InputError(
                "FIR.kernel", self.kernel, "two or more numbers whose sum is not 0", "(1, 3, 3, 1) is usual"
            )

    def down(self, x: Array) -> Array:
        """Filter, then every second pixel."""
        for axis in range(1, x.ndim - 1):
            x = _filtered_half(x, self._taps(), axis)
        return x

    def up(self, x: Array) -> Array:
        """Zeros between pixels, then the filter times two along each axis."""
        for axis in range(1, x.ndim - 1):
            x = _filtered_double(x, [2 * k for k in self._taps()], axis)
        return x

    def smoothed(self, x: Array) -> Array:
        """The filter at every pixel."""
        return _smoothed(x, self._taps())

    def spread(self, x: Array) -> Array:
        """As ``up``, one pixel further on every side."""
        for axis in range(1, x.ndim - 1):
            wide = _filtered_double(x, [2 * k for k in self._taps()], axis, margin=1)
            x = _window(wide, axis, 1, wide.shape[axis] - 2)
        return x

    def _taps(self) -> list[float]:
        """The normalised kernel, reversed: a convolution, not a correlation."""
        return [k / sum(self.kernel) for k in reversed(self.kernel)]


PLAIN_RESAMPLING = Plain()
NAIVE = Naive()


def average_pool(x: Array, factor: int = 2) -> Array:
    """Mean over blocks of ``factor`` pixels along each axis: (B, *space, C) -> (B, *space / factor, C)."""
    blocks = [x.shape[0]]
    for size in x.shape[1:-1]:
        blocks += [size // factor, factor]
    return jnp.mean(x.reshape(*blocks, x.shape[-1]), axis=tuple(range(2, 2 * x.ndim - 3, 2)))


def nearest_upsample(x: Array, factor: int = 2) -> Array:
    """Repeat each pixel ``factor`` times along each axis: (B, *space, C) -> (B, *space factor, C)."""
    split, wide = [x.shape[0]], [x.shape[0]]
    for size in x.shape[1:-1]:
        split, wide = [*split, size, 1], [*wide, size, factor]
    repeated = jnp.broadcast_to(x.reshape(*split, x.shape[-1]), (*wide, x.shape[-1]))
    return repeated.reshape(x.shape[0], *(factor * size for size in x.shape[1:-1]), x.shape[-1])


def _smoothed(x: Array, taps: Sequence[float]) -> Array:
    before, after = (len(taps) - 1) // 2 + 1, len(taps) // 2
    for axis in range(1, x.ndim - 1):
        size = x.shape[axis] + 1
        padded = jnp.pad(x, [(before, after) if i == axis else (0, 0) for i in range(x.ndim)])
        x = sum(k * _window(padded, axis, j, size) for j, k in enumerate(taps))  # type: ignore[assignment]
    return x


def _filtered_half(x: Array, taps: Sequence[float], axis: int) -> Array:
    before = (len(taps) - 1) // 2
    after = (len(taps) - 2) // 2
    padded = jnp.pad(x, [(before, after) if i == axis else (0, 0) for i in range(x.ndim)])
    half = x.shape[axis] // 2
    return sum(k * _window(padded, axis, j, half, 2) for j, k in enumerate(taps))  # type: ignore[return-value]


def _filtered_double(x: Array, taps: Sequence[float], axis: int, margin: int = 0) -> Array:
    """Each of the two phases sees every second tap: no zero is ever multiplied.

    ``margin`` more pixels of x, which are zero, are doubled before and after.
    """
    size, reach = x.shape[axis] + 2 * margin, len(taps) + margin
    before = (len(taps) - 1) // 2 + 1
    padded = jnp.pad(x, [(reach, reach) if i == axis else (0, 0) for i in range(x.ndim)])
    phases = []
    for phase in (0, 1):
        shifts = [((phase + j - before) // 2, k) for j, k in enumerate(taps) if not (phase + j - before) % 2]
        start = reach - margin
        phases.append(sum(k * _window(padded, axis, start + shift, size) for shift, k in shifts))
    joined = jnp.stack(phases, axis=axis + 1)
    return joined.reshape(*x.shape[:axis], 2 * size, *x.shape[axis + 1 :])


def _window(x: Array, axis: int, start: int, count: int, stride: int = 1) -> Array:
    index = [slice(None)] * x.ndim
    index[axis] = slice(start, start + stride * (count - 1) + 1, stride)
    return x[tuple(index)]
