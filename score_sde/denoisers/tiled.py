"""A model of small examples as a denoiser of large ones."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.arrays import per_example
from score_sde.denoisers.base import Denoiser
from score_sde.denoisers.tiles import Covering, Layout, Tapered, Weights, tile_places
from score_sde.errors import InputError
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Condition, Key, Time


class Tiled(Denoiser):
    """D of overlapping tiles, weighted towards their middles and added up (Bar-Tal et al. 2023).

    Examples may have any number of axes before the channels: pictures, signals, trajectories of fields.

    Being a denoiser, it serves single estimates, samplers and methods for inverse problems, which then see
    one large example: tiles agree at every step, and there are no seams. A tile knows nothing outside of it.
    With noise for a start it draws examples larger than those of training: panoramas, longer signals, and,
    ``Wrapping``, textures whose copies join.

    Attributes:
        model: of examples of shape ``tile``.
        tile: (H, W, C) or (L, C), as the model was trained.
        stride: from tile to tile along every axis but channels.
        chunk: tiles that are evaluated at once.
        layout: ``Covering()`` an example from end to end, or ``Wrapping()`` around it.
        weights: ``Tapered()``, or ``Middle()``, which makes long trajectories of a model of short windows.
    """

    model: Any
    tile: tuple[int, ...] = static()
    stride: tuple[int, ...] = static()
    chunk: int = static(256)
    layout: Layout = Covering()
    weights: Weights = Tapered()

    def __post_init__(self) -> None:
        if len(self.stride) != len(self.tile) - 1:
            raise InputError("Tiled.stride", self.stride, f"a number for each axis of {self.tile[:-1]}")
        if not all(1 <= step <= side for step, side in zip(self.stride, self.tile, strict=False)):
            raise InputError("Tiled.stride", self.stride, f"from 1 to the tile's {self.tile[:-1]}")
        if self.chunk < 1:
            raise InputError("Tiled.chunk", self.chunk, "a positive count")

    @classmethod
    def of(cls, model: Denoiser, tile: tuple[int, ...], stride: int | None = None, **options: Any) -> Tiled:
        """``model`` on larger examples; tiles overlap by half unless a ``stride`` is given."""
        strides = tuple(stride or math.ceil(side / 2) for side in tile[:-1])
        return cls(sde=model.sde, model=model, tile=tuple(tile), stride=strides, **options)

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """The weighted mean of what the tiles say of each value; without dropout."""
        del key
        if x.ndim != len(self.tile) + 1 or x.shape[-1] != self.tile[-1]:
            expected = f"(batch, {len(self.tile) - 1} sizes, {self.tile[-1]} channels)"
            raise InputError("Tiled for x.shape", x.shape, expected)
        padded = self.layout.padded(x, self.tile[:-1])
        sizes = padded.shape[1:-1]
        starts = self.layout.starts(sizes, self.tile[:-1], self.stride)
        places = tile_places(starts, self.tile[:-1], sizes)
        tiles = padded[(slice(None), *places)]  # (batch, tiles, *tile)
        count = tiles.shape[1]
        found = self._each(
            tiles.reshape(-1, *self.tile), jnp.repeat(per_example(t, x), count), _repeat(cond, count)
        )
        window = self.weights(starts, self.tile[:-1], self.stride, sizes)[..., None].astype(x.dtype)
        total = jnp.zeros_like(padded).at[(slice(None), *places)].add(window * found.reshape(tiles.shape))
        weight = np.zeros((*padded.shape[1:-1], 1), x.dtype)
        np.add.at(weight, places, np.broadcast_to(window, (count, *window.shape[1:])))
        return (total / weight)[tuple(slice(0, n) for n in x.shape)]

    def _each(self, tiles: Batch, t: Array, cond: Condition) -> Batch:
        def denoise(one: tuple[Array, Array, Condition]) -> Array:
            tile, time, told = one
            return self.model(tile[None], time[None], jax.tree.map(lambda leaf: leaf[None], told))[0]

        return jax.lax.map(denoise, (tiles, t, cond), batch_size=min(self.chunk, len(tiles)))


def _repeat(cond: Condition, count: int) -> Condition:
    return jax.tree.map(lambda leaf: jnp.repeat(leaf, count, axis=0), cond)
