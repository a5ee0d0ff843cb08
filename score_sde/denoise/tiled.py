"""A model of small examples as a denoiser of large ones."""

from __future__ import annotations

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.arrays import per_example
from score_sde.denoisers.base import Denoiser
from score_sde.errors import InputError
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Condition, Key, Time


class Tiled(Denoiser):
    """D of overlapping tiles, weighted towards their middles and added up (Bar-Tal et al. 2023).

    Being a denoiser, it serves single estimates, samplers and methods for inverse problems, which then see
    one large example: tiles agree at every step, and there are no seams. A tile knows nothing outside of it.
    Examples that are smaller than a tile are mirrored up to its size.

    Attributes:
        model: of examples of shape ``tile``.
        tile: (H, W, C) or (L, C), as the model was trained.
        stride: from tile to tile along every axis but channels.
        chunk: tiles that are evaluated at once.
    """

    model: Any
    tile: tuple[int, ...] = static()
    stride: tuple[int, ...] = static()
    chunk: int = static(256)

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
        missing = [max(side - n, 0) for side, n in zip(self.tile[:-1], x.shape[1:-1], strict=True)]
        padded = jnp.pad(x, [(0, 0), *((0, more) for more in missing), (0, 0)], mode="symmetric")
        starts = tile_starts(padded.shape[1:-1], self.tile[:-1], self.stride)
        places = _places(starts, self.tile[:-1])
        tiles = padded[(slice(None), *places)]  # (batch, tiles, *tile)
        count = tiles.shape[1]
        found = self._each(
            tiles.reshape(-1, *self.tile), jnp.repeat(per_example(t, x), count), _repeat(cond, count)
        )
        window = tile_window(self.tile[:-1], self.stride)[..., None].astype(x.dtype)
        total = jnp.zeros_like(padded).at[(slice(None), *places)].add(window * found.reshape(tiles.shape))
        weight = np.zeros((*padded.shape[1:-1], 1), x.dtype)
        np.add.at(weight, places, np.broadcast_to(window, (count, *window.shape)))
        return (total / weight)[tuple(slice(0, n) for n in x.shape)]

    def _each(self, tiles: Batch, t: Array, cond: Condition) -> Batch:
        def denoise(one: tuple[Array, Array, Condition]) -> Array:
            tile, time, told = one
            return self.model(tile[None], time[None], jax.tree.map(lambda leaf: leaf[None], told))[0]

        return jax.lax.map(denoise, (tiles, t, cond), batch_size=min(self.chunk, len(tiles)))


def tile_starts(shape: tuple[int, ...], tile: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    """First corners (tiles, axes) of tiles that cover ``shape``; the last of an axis ends with it."""
    axes = [[*range(0, n - side, step), n - side] for n, side, step in zip(shape, tile, stride, strict=True)]
    return np.array(list(itertools.product(*axes)))


def tile_window(tile: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    """Positive weights of a tile's places: 1 in the middle, falling along a sine over what tiles share."""
    window = np.ones(())
    for side, step in zip(tile, stride, strict=True):
        edge = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
        ramp = np.sin(0.5 * np.pi * np.minimum(edge / max(side - step, 0.5), 1)) ** 2
        window = window[..., None] * ramp
    return window


def _places(starts: np.ndarray, tile: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Indices (tiles, *sides) of every tile's values, an array for each axis."""
    found = []
    for axis, side in enumerate(tile):
        own = [1] * len(tile)
        own[axis] = side
        found.append(starts[:, axis].reshape(-1, *[1] * len(tile)) + np.arange(side).reshape(own))
    return tuple(found)


def _repeat(cond: Condition, count: int) -> Condition:
    return jax.tree.map(lambda leaf: jnp.repeat(leaf, count, axis=0), cond)
