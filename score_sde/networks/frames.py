"""Films as pictures of many channels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers import require_example
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class FramesAsChannels(nnx.Module):
    """A network of (*space, frames C) on examples (frames, *space, C): few frames, all seen at once.

    ``bind(FramesAsChannels, network=bind(SongUNet))`` makes one.

    Attributes:
        network: ``(shape=, rngs=)`` -> a network of (B, *space, frames C).

    Raises:
        InputError: x not of ``shape``.
    """

    def __init__(self, network: Callable[..., Any], shape: tuple[int, ...], *, rngs: nnx.Rngs) -> None:
        frames, *space, channels = self.shape = tuple(shape)
        self.network = network(shape=(*space, frames * channels), rngs=rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, frames, *space, C), (B,) -> the same."""
        require_example("FramesAsChannels", x, self.shape)
        found = self.network(as_channels(x), labels, cond, key=key)
        apart = found.reshape(*x.shape[:1], *self.shape[1:-1], self.shape[0], self.shape[-1])
        return jnp.moveaxis(apart, -2, 1)


def as_channels(x: Array) -> Array:
    """(B, frames, *space, C) -> (B, *space, frames C), the first frame's channels first."""
    moved = jnp.moveaxis(x, 1, -2)
    return moved.reshape(*moved.shape[:-2], math.prod(moved.shape[-2:]))
