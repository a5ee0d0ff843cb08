"""Signals, images and fields as tokens, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.typing import Array, Batch

Grid = tuple[int, ...]  # tokens along each axis of space


def require_patches(network: str, shape: Sequence[int], patch: int | Sequence[int]) -> tuple[Grid, Grid]:
    """The grid of tokens of an example of ``shape``, and the patch along each axis of space.

    Raises:
        InputError: no axis of space, as many patches as there are not axes, or an axis that its patch
            does not divide.
    """
    space = tuple(shape[:-1])
    if not space:
        raise InputError(f"{network}.shape", tuple(shape), "axes of space and one of channels")
    sizes = (patch,) * len(space) if isinstance(patch, int) else tuple(patch)
    if len(sizes) != len(space) or min(sizes) < 1:
        expected = f"a positive number, or {len(space)} of them for shape = {tuple(shape)}"
        raise InputError(f"{network}.patch", patch, expected)
    for length, size in zip(space, sizes, strict=True):
        if length % size:
            nearest = max(length // size, 1) * size
            remedy = f"crop or resize the data to {nearest}, or set patch to a divisor"
            raise InputError(f"{network}.patch", size, f"a divisor of {length} in {tuple(shape)}", remedy)
    return tuple(length // size for length, size in zip(space, sizes, strict=True)), sizes


def patched(x: Batch, grid: Grid, patch: Grid) -> Array:
    """(B, *space, C) -> (B, tokens, values), both running over their axes in order and channels last."""
    rank = len(grid)
    split = [length for pair in zip(grid, patch, strict=True) for length in pair]
    places, within = range(1, 2 * rank, 2), range(2, 2 * rank + 1, 2)
    cut = x.reshape(x.shape[0], *split, x.shape[-1]).transpose(0, *places, *within, 2 * rank + 1)
    return cut.reshape(x.shape[0], math.prod(grid), -1)


def unpatched(tokens: Array, grid: Grid, patch: Grid) -> Batch:
    """Inverse of ``patched``: (B, tokens, values) -> (B, *space, C)."""
    rank = len(grid)
    cut = tokens.reshape(tokens.shape[0], *grid, *patch, -1)
    order = [
        axis for pair in zip(range(1, rank + 1), range(rank + 1, 2 * rank + 1), strict=True) for axis in pair
    ]
    space = (length * size for length, size in zip(grid, patch, strict=True))
    return jnp.transpose(cut, (0, *order, 2 * rank + 1)).reshape(tokens.shape[0], *space, -1)
