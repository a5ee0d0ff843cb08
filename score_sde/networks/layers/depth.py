"""Many equal blocks after one another: written out, or as a loop over stacked parameters."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.dropout import split_or_none
from score_sde.typing import Array, Key

MakeBlock = Callable[[nnx.Rngs], Any]  # a block is called as block(hidden, *told, key=key)


class Depth(ABC):
    """How a tower of blocks is held and run; the same function of the same parameters each time."""

    @abstractmethod
    def tower(self, block: MakeBlock, depth: int, rngs: nnx.Rngs) -> Any:
        """``depth`` blocks as one module, called as ``tower(hidden, *told, key=key)``."""


@dataclasses.dataclass(frozen=True)
class Unrolled(Depth):
    """One after the other in the program: XLA sees, and compiles, each block by itself.

    Attributes:
        remat: blocks are computed again in the backward pass instead of kept.
    """

    remat: bool = False

    def tower(self, block: MakeBlock, depth: int, rngs: nnx.Rngs) -> UnrolledTower:
        """A list."""
        return UnrolledTower([block(rngs) for _ in range(depth)], self.remat)


@dataclasses.dataclass(frozen=True)
class Scanned(Depth):
    """A loop over parameters that are stacked along a first axis: one block is compiled, whatever the depth.

    Each parameter of a block is one array of ``depth`` times its size, ``blocks.stacked.mlp.rise.kernel``.

    Attributes:
        remat: blocks are computed again in the backward pass instead of kept.
    """

    remat: bool = False

    def tower(self, block: MakeBlock, depth: int, rngs: nnx.Rngs) -> ScannedTower:
        """A stack."""
        return ScannedTower([block(rngs) for _ in range(depth)], self.remat)


class UnrolledTower(nnx.Module):
    """Blocks as a list."""

    def __init__(self, blocks: list[Any], remat: bool) -> None:
        self.each, self.depth, self.remat = nnx.List(blocks), len(blocks), remat

    def __call__(self, hidden: Array, *told: Any, key: Key | None = None) -> Array:
        """Through all of them."""
        run = _runner(self.remat)
        for block, one in zip(self.each, split_or_none(key, len(self.each)), strict=True):
            hidden = run(block, hidden, told, one)
        return hidden


class ScannedTower(nnx.Module):
    """Blocks as one whose parameters have a first axis more."""

    def __init__(self, blocks: list[Any], remat: bool) -> None:
        self.stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *blocks)
        self.depth, self.remat = len(blocks), remat

    def __call__(self, hidden: Array, *told: Any, key: Key | None = None) -> Array:
        """Through all of them; keys are those of ``UnrolledTower``."""
        return self.through(self.stacked, hidden, key, told)[0]

    def through(
        self, stacked: Any, hidden: Array, key: Key | None, told: tuple[Any, ...]
    ) -> tuple[Array, Key | None]:
        """Through all blocks of a stack, and what is left of the key."""
        run = _runner(self.remat)

        def advance(carry: tuple[Array, Key | None], block: Any) -> tuple[tuple[Array, Key | None], None]:
            hidden, key = carry
            rest, one = (None, None) if key is None else jax.random.split(key)
            return (run(block, hidden, told, one).astype(hidden.dtype), rest), None

        return jax.lax.scan(advance, (hidden, key), stacked)[0]


UNROLLED, SCANNED = Unrolled(), Scanned()


def _runner(remat: bool) -> Callable[..., Array]:
    return jax.checkpoint(_run) if remat else _run


def _run(block: Any, hidden: Array, told: tuple[Any, ...], key: Key | None) -> Array:
    return block(hidden, *told, key=key)
