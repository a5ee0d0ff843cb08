"""From one resolution to any higher one: (B, *space, C) -> (B, *size, C)."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from score_sde.typing import Array


class Interpolation(ABC):
    """A way to interpolate along every axis of space."""

    @abstractmethod
    def __call__(self, x: Array, size: Sequence[int]) -> Array:
        """(B, *space, C) -> (B, *size, C)."""


@dataclasses.dataclass(frozen=True)
class Bilinear(Interpolation):
    """Linear between the centres of pixels, constant beyond the outermost."""

    def __call__(self, x: Array, size: Sequence[int]) -> Array:
        """Linear along each axis."""
        return jax.image.resize(x, (x.shape[0], *size, x.shape[-1]), "bilinear")


@dataclasses.dataclass(frozen=True)
class AlignedBilinear(Interpolation):
    """Linear, the outermost pixels of both resolutions being at the same places (PyTorch's NCSNv2)."""

    def __call__(self, x: Array, size: Sequence[int]) -> Array:
        """Linear along each axis."""
        for axis, (old, new) in enumerate(zip(x.shape[1:-1], size, strict=True), start=1):
            if old != new:
                x = _between(x, axis, jnp.linspace(0, old - 1, new, dtype=jnp.promote_types(x.dtype, float)))
        return x


@dataclasses.dataclass(frozen=True)
class Nearest(Interpolation):
    """The nearest pixel."""

    def __call__(self, x: Array, size: Sequence[int]) -> Array:
        """Repeated pixels."""
        return jax.image.resize(x, (x.shape[0], *size, x.shape[-1]), "nearest")


BILINEAR = Bilinear()


def _between(x: Array, axis: int, places: Array) -> Array:
    """x at these places of an axis, linear between pixels."""
    below = jnp.floor(places).astype(jnp.int32)
    above = jnp.minimum(below + 1, x.shape[axis] - 1)
    part = (places - below).reshape(-1, *(1,) * (x.ndim - axis - 1)).astype(x.dtype)
    low, high = (jnp.take(x, index, axis=axis) for index in (below, above))
    return low + part * (high - low)
