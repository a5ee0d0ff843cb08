"""Transformer blocks over tokens, and what all blocks of one network have in common."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.layers.attending import Attention, attend
from score_sde.networks.layers.dropout import dropout, split_or_none
from score_sde.networks.layers.feed_forward import FeedForward, SwiGLU, exact_gelu
from score_sde.networks.layers.initializers import (
    BiasInit,
    Init,
    narrow_normal_init,
    uniform_init,
    zero_bias_init,
)
from score_sde.networks.layers.linear import DType, Linear
from score_sde.networks.layers.positions import Rotation
from score_sde.networks.layers.token_norms import LayerNorm, RMSNorm, Standardize
from score_sde.typing import Array, Key

MakeNorm = Callable[[int], Any]


@dataclasses.dataclass(frozen=True)
class TransformerStyle:
    """What the blocks of a transformer are made of. The default is DiT's (Peebles and Xie 2023).

    Attributes:
        norm: of tokens, made from the number of channels.
        head_norm: of q and k in each head before their product, or None (Henry et al. 2020).
        feed_forward: made by ``feed_forward(width, init=, dtype=, rngs=)``: FeedForward or SwiGLU.
        init: of all kernels.
        qkv_bias: of the biases of q, k and v; None for none.
        attention: how q, k and v are mixed: ``attend``, or ``InBlocks()``, the same in less memory.
    """

    norm: MakeNorm = Standardize
    head_norm: MakeNorm | None = None
    feed_forward: Callable[..., Any] = FeedForward
    init: Init = uniform_init
    qkv_bias: BiasInit | None = zero_bias_init
    attention: Attention = attend


@dataclasses.dataclass(frozen=True)
class ModernStyle(TransformerStyle):
    """RMS norms, also of q and k in each head, SwiGLU, no biases of q, k and v: what came after DiT."""

    norm: MakeNorm = RMSNorm
    head_norm: MakeNorm | None = RMSNorm
    feed_forward: Callable[..., Any] = SwiGLU
    qkv_bias: BiasInit | None = None


ExactFeedForward = functools.partial(FeedForward, act=exact_gelu)


@dataclasses.dataclass(frozen=True)
class UViTStyle(TransformerStyle):
    """Learnt norms, exact GELU, no biases of q, k and v (Bao et al. 2023)."""

    norm: MakeNorm = LayerNorm
    feed_forward: Callable[..., Any] = ExactFeedForward
    init: Init = narrow_normal_init
    qkv_bias: BiasInit | None = None


DIT_STYLE, MODERN_STYLE, UVIT_STYLE = TransformerStyle(), ModernStyle(), UViTStyle()


class TokenAttention(nnx.Module):
    """W_out softmax(q k^T / sqrt(head size)) v; q and k perhaps normalised, then perhaps turned.

    q, k and v are one product whose columns are ordered (q k v, head, channel).
    """

    def __init__(
        self, width: int, heads: int, style: TransformerStyle, *, dtype: DType = jnp.float32, rngs: nnx.Rngs
    ) -> None:
        if width % heads:
            raise InputError("heads", heads, f"a divisor of width = {width}", "change one of them")
        self.heads, self.attend = heads, style.attention
        self.qkv = Linear(width, 3 * width, init=style.init, bias_init=style.qkv_bias, dtype=dtype, rngs=rngs)
        self.q_norm, self.k_norm = (
            None if style.head_norm is None else style.head_norm(width // heads) for _ in range(2)
        )
        self.out = Linear(width, width, init=style.init, dtype=dtype, rngs=rngs)

    def __call__(self, x: Array, rotation: Rotation | None = None) -> Array:
        """(B, tokens, width) -> the same."""
        per_head = (*x.shape[:2], self.heads, x.shape[-1] // self.heads)
        q, k, v = (part.reshape(per_head) for part in jnp.split(self.qkv(x), 3, axis=-1))
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        if rotation is not None:
            q, k = rotation(q), rotation(k)
        return self.out(self.attend(q, k, v).reshape(x.shape))


class BlockParts(nnx.Module):
    """What every block has: two norms, attention and a feed-forward."""

    def __init__(
        self,
        width: int,
        heads: int,
        style: TransformerStyle,
        *,
        dropout: float = 0.0,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        self.dropout = dropout
        self.norm1, self.norm2 = style.norm(width), style.norm(width)
        self.attention = TokenAttention(width, heads, style, dtype=dtype, rngs=rngs)
        self.mlp = style.feed_forward(width, init=style.init, dtype=dtype, rngs=rngs)


class PlainBlock(BlockParts):
    """x + attention(norm(x)), then x + feed_forward(norm(x)) (Dosovitskiy et al. 2021)."""

    def __call__(self, x: Array, rotation: Rotation | None = None, *, key: Key | None = None) -> Array:
        """(B, tokens, width) -> the same; dropout on both branches, only with a key."""
        first, second = split_or_none(key, 2)
        x = x + dropout(first, self.attention(self.norm1(x), rotation), self.dropout)
        return x + dropout(second, self.mlp(self.norm2(x)), self.dropout)


class AdaptiveBlock(BlockParts):
    """A block whose norms are shifted and scaled, and whose branches are gated, by what it is told.

    x + g attention(norm(x) (1 + a) + b), then the same round the feed-forward, with (b, a, g) twice =
    W told, which starts at zero, so that the block starts as the identity: adaLN-Zero (Peebles and Xie
    2023, section 3.2).
    """

    def __init__(
        self, width: int, *args: Any, dtype: DType = jnp.float32, rngs: nnx.Rngs, **options: Any
    ) -> None:
        super().__init__(width, *args, dtype=dtype, rngs=rngs, **options)
        self.modulation = Linear(width, 6 * width, init_scale=0.0, dtype=dtype, rngs=rngs)

    def __call__(
        self, x: Array, told: Array, rotation: Rotation | None = None, *, key: Key | None = None
    ) -> Array:
        """(B, tokens, width), (B, width) -> (B, tokens, width); dropout only with a key."""
        first, second = split_or_none(key, 2)
        b1, a1, g1, b2, a2, g2 = jnp.split(self.modulation(told)[:, None].astype(x.dtype), 6, axis=-1)
        mixed = self.attention(self.norm1(x) * (1 + a1) + b1, rotation)
        x = x + g1 * dropout(first, mixed, self.dropout)
        return x + g2 * dropout(second, self.mlp(self.norm2(x) * (1 + a2) + b2), self.dropout)


class AdaptiveHead(nnx.Module):
    """W (norm(x) (1 + a) + b), (b, a) = W' told; both start at zero."""

    def __init__(
        self, width: int, n_out: int, norm: MakeNorm, *, dtype: DType = jnp.float32, rngs: nnx.Rngs
    ) -> None:
        self.norm = norm(width)
        self.modulation = Linear(width, 2 * width, init_scale=0.0, dtype=dtype, rngs=rngs)
        self.linear = Linear(width, n_out, init_scale=0.0, dtype=dtype, rngs=rngs)

    def __call__(self, x: Array, told: Array) -> Array:
        """(B, tokens, width), (B, width) -> (B, tokens, n_out)."""
        shift, scale = jnp.split(self.modulation(told)[:, None].astype(x.dtype), 2, axis=-1)
        return self.linear(self.norm(x) * (1 + scale) + shift)
