"""Residual blocks, and what all blocks of one network have in common."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.convolution import Conv
from score_sde.networks.layers.dropout import dropout
from score_sde.networks.layers.initializers import BiasInit, Init, uniform_init, zero_bias_init
from score_sde.networks.layers.linear import DType, Linear
from score_sde.networks.layers.norms import GroupNorm
from score_sde.typing import Array, Key

Activation = Callable[[Array], Array]


class Modulation(ABC):
    """How an embedding enters a block at its second norm; ``width`` of its channels per channel there."""

    width: ClassVar[int]

    @abstractmethod
    def __call__(self, norm: GroupNorm, hidden: Array, embedding: Array) -> Array:
        """(B, *space, C), (B, width C) -> (B, *space, C)."""


@dataclasses.dataclass(frozen=True)
class Added(Modulation):
    """norm(h + e): the embedding is a bias of every pixel (Ho et al. 2020)."""

    width = 1

    def __call__(self, norm: GroupNorm, hidden: Array, embedding: Array) -> Array:
        """norm(h + e)."""
        spread = embedding.reshape(len(embedding), *(1,) * (hidden.ndim - 2), embedding.shape[-1])
        return norm(hidden + spread)


@dataclasses.dataclass(frozen=True)
class ScaleShift(Modulation):
    """norm(h) (1 + a) + b, (a, b) = e (Dhariwal and Nichol 2021, section 3, AdaGN)."""

    width = 2

    def __call__(self, norm: GroupNorm, hidden: Array, embedding: Array) -> Array:
        """norm(h) (1 + a) + b."""
        scale, shift = jnp.split(embedding, 2, axis=-1)
        return norm.modulated(hidden, scale, shift)


SCALE_SHIFT = ScaleShift()


@dataclasses.dataclass(frozen=True)
class Style:
    """What all blocks of one network share.

    Attributes:
        rank: axes of space, 1 or 2.
        conv: makes the convolutions but that on the skip; ``WrappingConv`` on a ring or a torus.
        act: the nonlinearity.
        norm: makes the normalisation from the number of channels.
        modulation: how the embedding enters: ``Added`` or ``ScaleShift``.
        dropout: probability, before the second convolution.
        rescale: what each residual sum is divided by, 1 or sqrt(2).
        init: how weights are drawn.
        bias_init: how biases are drawn, but for the last layer of each residual branch, where they are 0.
        last_scale: scale of the last layer of each residual branch; 0: the block starts as its skip.
        skip_scale: scale of the convolution on the skip.
        dtype: what layers compute in; parameters and norms stay float32.
        remat: compute a block again in the backward pass instead of keeping its insides.
    """

    rank: int = 2
    conv: Callable[..., Conv] = Conv
    act: Activation = jax.nn.silu
    norm: Callable[[int], GroupNorm] = GroupNorm
    modulation: Modulation = Added()
    dropout: float = 0.0
    rescale: float = 1.0
    init: Init = uniform_init
    bias_init: BiasInit = zero_bias_init
    last_scale: float = 0.0
    skip_scale: float = 1.0
    dtype: DType = jnp.float32
    remat: bool = False


PLAIN = Style()


class ResidualBlock(nnx.Module):
    """(skip(x) + conv(dropout(act(modulated norm(conv(resample(act(norm(x))))))) / rescale.

    The block of DDPM (Ho et al. 2020, appendix B); with ``resample`` (a function that halves or doubles the
    resolution of both branches) that of BigGAN (Brock et al. 2019) in DDPM++, NCSN++, EDM and ADM. The
    embedding enters through W act(e) at the second norm, as the style's modulation says. ``skip_size`` is
    the kernel of the convolution on the skip: by default 1 where the number of channels changes and none
    elsewhere; 0 means none, and needs n_in = n_out. ``n_embedding=None``: there is no embedding.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        n_embedding: int | None,
        style: Style = PLAIN,
        *,
        resample: Callable[[Array], Array] | None = None,
        skip_size: int | None = None,
        rngs: nnx.Rngs,
    ) -> None:
        self.style, self.resample = style, resample
        self.norm1, self.norm2 = style.norm(n_in), style.norm(n_out)
        drawn: dict[str, Any] = {"init": style.init, "dtype": style.dtype, "rngs": rngs}
        biased = {**drawn, "bias_init": style.bias_init}
        self.conv1 = style.conv(n_in, n_out, rank=style.rank, **biased)
        width = style.modulation.width * n_out
        self.embed = None if n_embedding is None else Linear(n_embedding, width, **biased)
        self.conv2 = style.conv(n_out, n_out, rank=style.rank, init_scale=style.last_scale, **drawn)
        size = int(n_in != n_out) if skip_size is None else skip_size
        skip = {"init_scale": style.skip_scale, **biased}
        self.skip = Conv(n_in, n_out, size, rank=style.rank, **skip) if size else None

    def __call__(
        self,
        x: Array,
        embedding: Array | None = None,
        *,
        beside: Array | None = None,
        key: Key | None = None,
    ) -> Array:
        """(B, *space, n_in), (B, n_embedding) -> (B, *space', n_out); ``key=None``: no dropout.

        ``beside``: further channels of x, (B, *space, n); ``n_in`` is the sum.
        """
        return (jax.checkpoint(_residual) if self.style.remat else _residual)(self, x, beside, embedding, key)


def _residual(
    block: ResidualBlock, x: Array, beside: Array | None, embedding: Array | None, key: Key | None
) -> Array:
    style = block.style
    hidden = style.act(block.norm1(_joined(x, beside)))
    x = _joined(x, beside)  # again, so that the gradients of x's two uses are summed for each part: see below
    if block.resample is not None:
        x, hidden = block.resample(x), block.resample(hidden)
    hidden = block.conv1(hidden)
    if block.embed is None or embedding is None:
        hidden = block.norm2(hidden)
    else:
        hidden = style.modulation(block.norm2, hidden, block.embed(style.act(embedding)))
    # The sum comes last, and what goes into its layers is divided in place of what comes out: XLA's CPU
    # backend computes what is only scaled anew wherever it is read, with all sums before it; a sum but once.
    gain = 1 / style.rescale
    hidden = block.conv2(dropout(key, gain * style.act(hidden), style.dropout), gain)
    return gain * (x if block.skip is None else block.skip(x)) + hidden


def _joined(x: Array, beside: Array | None) -> Array:
    return x if beside is None else jnp.concatenate([x, beside], axis=-1)
