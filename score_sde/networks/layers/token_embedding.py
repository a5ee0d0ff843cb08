"""From an example to the tokens that a transformer sees."""

from __future__ import annotations

import math

import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.initializers import Init, narrow_normal_init, uniform_init
from score_sde.networks.layers.linear import DType, Linear
from score_sde.networks.layers.patches import Grid, patched
from score_sde.networks.layers.positions import Positions
from score_sde.typing import Array, Batch


class TokenEmbedding(nnx.Module):
    """[registers, W patches + positions]: learnt tokens of the network's own, then one for each patch.

    The tokens of its own, if there are any, are what Darcet et al. 2024 call registers.
    """

    def __init__(
        self,
        grid: Grid,
        patch: Grid,
        channels: int,
        width: int,
        positions: Positions,
        registers: int = 0,
        *,
        init: Init = uniform_init,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        self.grid, self.patch, self.dtype = grid, patch, dtype
        self.linear = Linear(channels * math.prod(patch), width, init=init, dtype=dtype, rngs=rngs)
        self.positions = positions.table(grid, width, rngs)
        own = (1, registers, width)
        self.registers = nnx.Param(narrow_normal_init(rngs.params(), own)) if registers else None

    def __call__(self, x: Batch) -> Array:
        """(B, *space, C) -> (B, registers + tokens, width)."""
        tokens = self.linear(patched(x, self.grid, self.patch))
        if self.positions is not None:
            tokens = tokens + self.positions[...].astype(tokens.dtype)
        if self.registers is None:
            return tokens
        own = jnp.broadcast_to(self.registers[...].astype(tokens.dtype), (len(x), *self.registers.shape[1:]))
        return jnp.concatenate([own, tokens], axis=1)
