"""Where tiles lie on a larger example, and how much each counts."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod

import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.pytree import Pytree
from score_sde.typing import Batch

Sizes = tuple[int, ...]  # of every axis but batch and channels


class Layout(Pytree, ABC):
    """How tiles cover an example."""

    @abstractmethod
    def padded(self, x: Batch, tile: Sizes) -> Batch:
        """``x`` (batch, *sizes, channels), no smaller than a tile."""

    @abstractmethod
    def starts(self, sizes: Sizes, tile: Sizes, stride: Sizes) -> np.ndarray:
        """First corners (tiles, axes); a tile that passes an end goes on at the other."""


class Covering(Layout):
    """From end to end: the last tile of an axis ends with it; what is too small is mirrored up to a tile."""

    def padded(self, x: Batch, tile: Sizes) -> Batch:
        """Mirrored where an axis is shorter than a tile."""
        missing = [max(side - n, 0) for side, n in zip(tile, x.shape[1:-1], strict=True)]
        return jnp.pad(x, [(0, 0), *((0, more) for more in missing), (0, 0)], mode="symmetric")

    def starts(self, sizes: Sizes, tile: Sizes, stride: Sizes) -> np.ndarray:
        """Every ``stride``, and the last place where a tile fits."""
        return tile_starts(sizes, tile, stride)


class Wrapping(Layout):
    """Round and round: each axis goes on at its beginning, so that copies of an example join without a seam.

    Raises:
        InputError: an axis that is shorter than a tile, or that strides do not divide.
    """

    def padded(self, x: Batch, tile: Sizes) -> Batch:
        """As it is."""
        for side, n in zip(tile, x.shape[1:-1], strict=True):
            if n < side:
                raise InputError(
                    "Wrapping for x.shape", x.shape, f"sides of at least {tile}", "make it larger"
                )
        return x

    def starts(self, sizes: Sizes, tile: Sizes, stride: Sizes) -> np.ndarray:
        """Every ``stride``, to the end."""
        for n, step in zip(sizes, stride, strict=True):
            if n % step:
                expected = f"sides that Tiled.stride = {stride} divides"
                raise InputError("Wrapping for sizes", sizes, expected, "choose another size or stride")
        axes = [range(0, n, step) for n, step in zip(sizes, stride, strict=True)]
        return np.array(list(itertools.product(*axes)))


class Weights(Pytree, ABC):
    """How much each tile counts for the values in it."""

    @abstractmethod
    def __call__(self, starts: np.ndarray, tile: Sizes, stride: Sizes, sizes: Sizes) -> np.ndarray:
        """(tiles, *tile), or (1, *tile) where all are alike, for tiles that begin at ``starts``."""


class Tapered(Weights):
    """Most in the middle, falling along a sine over what tiles share: no seams."""

    def __call__(self, starts: np.ndarray, tile: Sizes, stride: Sizes, sizes: Sizes) -> np.ndarray:
        """``tile_window``."""
        del starts, sizes
        return tile_window(tile, stride)[None]


class Middle(Weights):
    """Only the middle of each tile; of the first and last of an axis also what lies before and after it.

    The score of a long chain from that of its windows (Rozet and Louppe 2023, "Score-based data
    assimilation", algorithm 2): a value is told of its neighbours within half a tile on either side. Exact
    for a Markov chain whose order is no more than that, as the noise goes to 0; a noised chain has no order,
    and the error falls with the length of the tile. Tiles must begin at every place of an axis, or be as
    long as it.

    Raises:
        InputError: tiles that leave a value in no middle.
    """

    def __call__(self, starts: np.ndarray, tile: Sizes, stride: Sizes, sizes: Sizes) -> np.ndarray:
        """1 for the values that a tile is asked about, 0 for others."""
        kept = np.ones((len(starts), *[1] * len(tile)), bool)
        for axis, (side, n) in enumerate(zip(tile, sizes, strict=True)):
            own = _asked(starts[:, axis], side, n, stride)
            shape = [len(starts), *[1] * len(tile)]
            shape[1 + axis] = side
            kept = kept & own.reshape(shape)
        return np.broadcast_to(kept, (len(starts), *tile)).astype(float)


def _asked(starts: np.ndarray, side: int, n: int, stride: Sizes) -> np.ndarray:
    """(tiles, side): which places of an axis of ``n`` each tile is asked about."""
    first, place, middle = starts[:, None], np.arange(side), side // 2
    every = np.unique(starts)
    if len(every) == 1 and side >= n:
        return np.ones((len(starts), side), bool)
    if len(every) == 1 or np.diff(every).max() > 1:
        raise InputError("Tiled.stride", stride, "1 along axes longer than a tile, with Middle()")
    has_ends = every[-1] + side == n
    before, after = (first == 0) & (place < middle), (first == n - side) & (place > middle)
    return (place == middle) | (has_ends & (before | after))


def tile_starts(shape: Sizes, tile: Sizes, stride: Sizes) -> np.ndarray:
    """First corners (tiles, axes) of tiles that cover ``shape``; the last of an axis ends with it."""
    axes = [[*range(0, n - side, step), n - side] for n, side, step in zip(shape, tile, stride, strict=True)]
    return np.array(list(itertools.product(*axes)))


def tile_window(tile: Sizes, stride: Sizes) -> np.ndarray:
    """Positive weights of a tile's places: 1 in the middle, falling along a sine over what tiles share."""
    window = np.ones(())
    for side, step in zip(tile, stride, strict=True):
        edge = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
        ramp = np.sin(0.5 * np.pi * np.minimum(edge / max(side - step, 0.5), 1)) ** 2
        window = window[..., None] * ramp
    return window


def tile_places(starts: np.ndarray, tile: Sizes, sizes: Sizes) -> tuple[np.ndarray, ...]:
    """Indices (tiles, *tile) of every tile's values in an example of ``sizes``, an array for each axis."""
    found = []
    for axis, side in enumerate(tile):
        own = [1] * len(tile)
        own[axis] = side
        first = starts[:, axis].reshape(-1, *[1] * len(tile))
        found.append((first + np.arange(side).reshape(own)) % sizes[axis])
    return tuple(found)
