"""Blocks in groups, of which the backward pass computes one at a time again."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.layers.depth import Depth, MakeBlock, ScannedTower
from score_sde.typing import Array, Key


@dataclasses.dataclass(frozen=True)
class Grouped(Depth):
    """``Scanned`` in groups that are computed again: memory grows as the root of depth (Chen et al. 2016).

    The same function of the same parameters, by the same names.

    Attributes:
        groups: how many; None: the divisor of depth that is next to its root.
        remat: within a group that is computed again, only the inputs of blocks are kept, and each block is
            computed a third time.
    """

    groups: int | None = None
    remat: bool = False

    def tower(self, block: MakeBlock, depth: int, rngs: nnx.Rngs) -> GroupedTower:
        """A stack.

        Raises:
            InputError: groups that do not divide the depth.
        """
        divisors = [n for n in range(1, depth + 1) if depth % n == 0]
        groups = (
            min(divisors, key=lambda n: abs(n - math.sqrt(depth))) if self.groups is None else self.groups
        )
        if groups not in divisors:
            remedy = "change either, or leave groups out"
            raise InputError("Grouped.groups", groups, f"a divisor of depth = {depth}: {divisors}", remedy)
        return GroupedTower([block(rngs) for _ in range(depth)], self.remat, groups)


class GroupedTower(ScannedTower):
    """A scan over scans."""

    def __init__(self, blocks: list[Any], remat: bool, groups: int) -> None:
        super().__init__(blocks, remat)
        self.groups = groups

    def __call__(self, hidden: Array, *told: Any, key: Key | None = None) -> Array:
        """Through all of them; keys are those of ``ScannedTower``."""
        apart = jax.tree.map(lambda leaf: leaf.reshape(self.groups, -1, *leaf.shape[1:]), self.stacked)
        group = jax.checkpoint(self.through)

        def advance(carry: tuple[Array, Key | None], stacked: Any) -> tuple[tuple[Array, Key | None], None]:
            return group(stacked, *carry, told), None

        return jax.lax.scan(advance, (hidden, key), apart)[0][0]
