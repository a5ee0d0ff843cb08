"""U-ViT: a transformer whose tokens are patches, the time and the class, with a U-Net's skips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.conditions import part, require_only
from score_sde.networks.layers import (
    UVIT_STYLE,
    ClassTable,
    Conv,
    DType,
    Linear,
    PlainBlock,
    PositionalEmbedding,
    TransformerStyle,
    narrow_normal_init,
    patched,
    require_counts,
    require_example,
    require_patches,
    split_or_none,
    unpatched,
)
from score_sde.networks.layers.embeddings import stepwise_exponentials
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class UViT(nnx.Module):
    """The transformer of Bao et al. 2023: all is tokens, and a block of the first half is told to its mirror.

    Tokens are [class, time, patches], with learnt positions; a block of the second half first maps
    [hidden, that of its mirror] to the width. Published sizes are (width, depth, heads) = S (512, 13, 8), M
    (768, 17, 12), L (1024, 21, 16) and H (1152, 29, 16). With ``n_classes``, ``cond`` is (B,) class labels;
    none, or the label ``n_classes``, is a token of zeros. Labels of the noise are 0 .. 999.

    Raises:
        InputError: an even depth; an axis that its patch does not divide; x not of ``shape``; a condition
            that it was not built to be told.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (32, 32, 3),
        patch: int | Sequence[int] = 2,
        width: int = 512,
        depth: int = 13,
        heads: int = 8,
        n_classes: int | None = None,
        dropout: float = 0.0,
        style: TransformerStyle = UVIT_STYLE,
        dtype: DType = jnp.float32,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        require_counts("UViT", width=width, depth=depth, heads=heads, n_classes=n_classes)
        if depth % 2 == 0:
            raise InputError("UViT.depth", depth, "an odd number: two halves and a block between", "add 1")
        self.shape = tuple(shape)
        self.grid, self.patch = require_patches("UViT", shape, patch)
        self.waves = PositionalEmbedding(width, endpoint=False, frequencies=stepwise_exponentials)
        self.classes = None if n_classes is None else ClassTable(n_classes, width, rngs=rngs)
        own, values = (1 if n_classes is None else 2), shape[-1] * math.prod(self.patch)
        drawn: dict[str, Any] = {"init": style.init, "dtype": dtype, "rngs": rngs}
        self.first = Linear(values, width, **drawn)
        self.positions = nnx.Param(narrow_normal_init(rngs.params(), (1, own + math.prod(self.grid), width)))

        def block() -> PlainBlock:
            return PlainBlock(width, heads, style, dropout=dropout, dtype=dtype, rngs=rngs)

        self.down = nnx.List([block() for _ in range(depth // 2)])
        self.middle = block()
        self.joins = nnx.List([Linear(2 * width, width, **drawn) for _ in range(depth // 2)])
        self.up = nnx.List([block() for _ in range(depth // 2)])
        self.norm, self.last = style.norm(width), Linear(width, values, **drawn)
        self.smooth = Conv(shape[-1], shape[-1], rank=len(shape) - 1, dtype=dtype, rngs=rngs)

    @property
    def told(self) -> tuple[str, ...]:
        """The parts of a condition that it takes."""
        return () if self.classes is None else ("label",)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *shape), of the dtype of x; dropout only with a key."""
        require_example("UViT", x, self.shape)
        require_only(cond, *self.told, network="UViT")
        hidden = self._tokens(x, labels, cond)
        keys, skips = split_or_none(key, 2 * len(self.down) + 1), []
        for block in self.down:
            hidden = block(hidden, key=next(keys))
            skips.append(hidden)
        hidden = self.middle(hidden, key=next(keys))
        for join, block in zip(self.joins, self.up, strict=True):
            hidden = block(join(jnp.concatenate([hidden, skips.pop()], axis=-1)), key=next(keys))
        tokens = self.last(self.norm(hidden))[:, -math.prod(self.grid) :]
        return self.smooth(unpatched(tokens, self.grid, self.patch)).astype(x.dtype)

    def _tokens(self, x: Batch, labels: PerExample, cond: Condition) -> Array:
        patches = self.first(patched(x, self.grid, self.patch))
        own = [self.waves(labels)[:, None]]
        if self.classes is not None:
            told = self.classes(part(cond, "label"))
            own.insert(0, jnp.broadcast_to(told, (len(x), told.shape[-1]))[:, None])
        tokens = jnp.concatenate([*(token.astype(patches.dtype) for token in own), patches], axis=1)
        return tokens + self.positions[...].astype(tokens.dtype)
