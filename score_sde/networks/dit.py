"""Diffusion transformers: DiT, and SiT which is the same backbone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.conditions import part, require_only
from score_sde.networks.layers import (
    DIT_STYLE,
    SINCOS,
    UNROLLED,
    AdaptiveBlock,
    AdaptiveHead,
    Depth,
    DType,
    Positions,
    TokenEmbedding,
    TransformerStyle,
    require_counts,
    require_example,
    require_patches,
    token_mapping,
    unpatched,
)
from score_sde.typing import Batch, Condition, Key, PerExample


class DiT(nnx.Module):
    """The transformer of Peebles and Xie 2023 with adaLN-Zero, over one, two or three axes of space.

    The sizes of the paper are (width, depth, heads) = S (384, 12, 6), B (768, 12, 12), L (1024, 24, 16) and
    XL (1152, 28, 16), each with patches of 2, 4 or 8. ``cond`` may hold class labels (``n_classes``); none,
    or the label ``n_classes``, is "no class", a vector of its own. Every block starts as the identity and
    the network at zero.

    Attributes:
        patch: values along each axis of space that make a token, one number or one for each axis.
        outputs: values per channel of x; 2: what ``LearnedRange`` reads.
        positions: how tokens are told their places: ``SinCosPositions()``, ``RotaryPositions()``, ...
        registers: learnt tokens beside those of x, which no output is read from (Darcet et al. 2024).
        style: what blocks are made of: ``DIT_STYLE``, or ``MODERN_STYLE`` (RMSNorm, also of q and k; SwiGLU);
            ``dataclasses.replace(..., attention=InBlocks())`` for many tokens.
        layers: ``Unrolled()`` or ``Scanned()``: each block in the program, or a loop; ``Grouped()`` and
            ``Reversible()`` keep less for the backward pass.

    Raises:
        InputError: an axis that its patch does not divide; heads that do not divide the width; a count that
            is none; x not of ``shape``; a condition that it was not built to be told.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (32, 32, 4),
        patch: int | Sequence[int] = 2,
        width: int = 384,
        depth: int = 12,
        heads: int = 6,
        n_classes: int | None = None,
        outputs: int = 2,
        dropout: float = 0.0,
        positions: Positions = SINCOS,
        registers: int = 0,
        style: TransformerStyle = DIT_STYLE,
        layers: Depth = UNROLLED,
        dtype: DType = jnp.float32,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        name = type(self).__name__
        require_counts(name, width=width, depth=depth, heads=heads, n_classes=n_classes, outputs=outputs)
        require_counts(name, least=0, registers=registers)
        self.shape, self.n_registers = tuple(shape), registers
        grid, patch = require_patches(name, shape, patch)
        self.grid, self.patch = grid, patch
        self.places, self.head_size = positions, width // heads
        self.tokens = TokenEmbedding(
            grid, patch, shape[-1], width, positions, registers, dtype=dtype, rngs=rngs
        )
        self.mapping = token_mapping(width, n_classes, rngs=rngs)

        def block(rngs: nnx.Rngs) -> AdaptiveBlock:
            return AdaptiveBlock(width, heads, style, dropout=dropout, dtype=dtype, rngs=rngs)

        self.blocks = layers.tower(block, depth, rngs)
        values = outputs * shape[-1] * math.prod(patch)
        self.last = AdaptiveHead(width, values, style.norm, dtype=dtype, rngs=rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *space, outputs * C), of the dtype of x; dropout only with a key."""
        require_example(type(self).__name__, x, self.shape)
        require_only(cond, *self.mapping.told, network=type(self).__name__)
        told = jax.nn.silu(self.mapping(labels, part(cond, "label")))
        told = jnp.broadcast_to(told, (len(x), told.shape[-1]))
        rotation = self.places.rotation(self.grid, self.head_size, self.n_registers)
        tokens = self.blocks(self.tokens(x), told, rotation, key=key)[:, self.n_registers :]
        return unpatched(self.last(tokens, told), self.grid, self.patch).astype(x.dtype)


class SiT(DiT):
    """DiT where the second half of the outputs, which the released networks have, is not used.

    Ma et al. 2024: their code builds the network of a learnt variance and drops it.
    """

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *shape), of the dtype of x; dropout only with a key."""
        return super().__call__(x, labels, cond, key=key)[..., : x.shape[-1]]
