"""Attention between the pixels of an image."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.layers.attending import attend
from score_sde.networks.layers.initializers import BiasInit, Init, uniform_init, zero_bias_init
from score_sde.networks.layers.linear import DType, Linear
from score_sde.networks.layers.norms import GroupNorm
from score_sde.typing import Array


class SelfAttention(nnx.Module):
    """(x + W_out softmax(q k^T / sqrt(head size)) v) / rescale over the pixels of a normalised x.

    With ``heads=1`` the block of DDPM (Ho et al. 2020, appendix B); ``rescale`` is sqrt(2) in Song et al.
    2021. q, k and v are one product whose columns are ordered (q k v, head, channel). W_out starts at
    ``init_scale``, 0 by default, and q, k and v at ``qkv_scale``. ``remat``: computed again in the backward
    pass instead of kept.
    """

    def __init__(
        self,
        channels: int,
        *,
        heads: int = 1,
        rescale: float = 1.0,
        init_scale: float = 0.0,
        qkv_scale: float = 1.0,
        init: Init = uniform_init,
        bias_init: BiasInit = zero_bias_init,
        norm: Callable[[int], nnx.Module] = GroupNorm,
        dtype: DType = jnp.float32,
        remat: bool = False,
        rngs: nnx.Rngs,
    ) -> None:
        if channels % heads:
            raise InputError("SelfAttention.heads", heads, f"a divisor of channels = {channels}")
        self.norm = norm(channels)
        self.qkv = Linear(
            channels, 3 * channels, init_scale=qkv_scale, init=init, bias_init=bias_init, dtype=dtype,
            rngs=rngs,
        )  # fmt: skip
        self.out = Linear(channels, channels, init_scale=init_scale, init=init, dtype=dtype, rngs=rngs)
        self.heads, self.rescale, self.remat = heads, rescale, remat

    def __call__(self, x: Array) -> Array:
        """(B, ..., channels) -> the same; every pixel sees every other."""
        return (jax.checkpoint(_attended) if self.remat else _attended)(self, x)


def _attended(block: SelfAttention, x: Array) -> Array:
    per_head = (x.shape[0], -1, block.heads, x.shape[-1] // block.heads)
    q, k, v = (part.reshape(per_head) for part in jnp.split(block.qkv(block.norm(x)), 3, axis=-1))
    mixed, gain = attend(q, k, v).reshape(x.shape), 1 / block.rescale
    return gain * x + block.out(gain * mixed, gain)  # the sum comes last, as in ResidualBlock
