"""A small U-Net in the manner of DDPM++."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.layers import (
    Conv,
    DType,
    GroupNorm,
    LabelEmbedding,
    PositionalEmbedding,
    ResidualBlock,
    SelfAttention,
    Style,
    average_pool,
    nearest_upsample,
    split_or_none,
)
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class UNet(nnx.Module):
    """Residual blocks at falling and rising resolutions, with a skip from each block to its mirror.

    DDPM's U-Net (Ho et al. 2020, appendix B) with BigGAN resampling and 1/sqrt(2) on each residual sum
    (DDPM++ of Song et al. 2021, appendix H). The resolution H / 2^i has ``channels * multipliers[i]``
    channels; attention follows each block whose resolution is in ``attention_resolutions``. The last layer
    of each block and of the network starts at zero. ``label_scale`` brings the noise labels to the size
    of DDPM's, 0 .. 999. With ``n_classes``, ``cond`` is (B,) class labels, where ``n_classes`` itself and
    ``cond=None`` mean "no class".

    Raises:
        InputError: a resolution that cannot be halved so often; x not of ``shape``; class labels for a
            network without classes.
    """

    def __init__(
        self,
        shape: tuple[int, int, int] = (8, 8, 1),
        channels: int = 32,
        multipliers: Sequence[int] = (1, 2),
        blocks: int = 2,
        attention_resolutions: Sequence[int] = (4,),
        dropout: float = 0.1,
        n_classes: int | None = None,
        heads: int = 1,
        label_scale: float = 1.0,
        dtype: DType = jnp.float32,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        _check_shape(shape, len(multipliers))
        self.shape = tuple(shape)
        self.embedding = LabelEmbedding(
            PositionalEmbedding(channels, scale=label_scale), channels, 4 * channels, n_classes,
            dtype=dtype, rngs=rngs,
        )  # fmt: skip
        build = _Builder(4 * channels, tuple(attention_resolutions), dropout, heads, dtype, rngs)
        widths = [channels * m for m in multipliers]
        self.first = Conv(shape[-1], channels, dtype=dtype, rngs=rngs)
        self.down, skips = _down(build, shape[0], channels, widths, blocks)
        deepest = shape[0] // 2 ** (len(widths) - 1)
        self.middle = nnx.List(
            [build.stage(deepest, widths[-1], widths[-1]), build.stage(0, widths[-1], widths[-1])]
        )
        self.up = _up(build, shape[0], widths, blocks, skips)
        self.norm = GroupNorm(widths[0])
        self.last = Conv(widths[0], shape[-1], init_scale=0.0, dtype=dtype, rngs=rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *shape), of the dtype of x; dropout only with a key."""
        if x.shape[1:] != self.shape:
            raise InputError(
                "UNet: shape of x", x.shape, f"(batch, *{self.shape})", "set UNet.shape to the data's"
            )
        embedding = self.embedding(labels, cond)
        keys = split_or_none(key, len(self.down) + len(self.middle) + len(self.up))
        hidden = self.first(x)
        skips = [hidden]
        for stage in self.down:
            hidden = stage(hidden, embedding, key=next(keys))
            skips.append(hidden)
        for stage in self.middle:
            hidden = stage(hidden, embedding, key=next(keys))
        for stage in self.up:
            beside = None if stage.resamples else skips.pop()
            hidden = stage(hidden, embedding, beside=beside, key=next(keys))
        return self.last(jax.nn.silu(self.norm(hidden))).astype(x.dtype)


class Stage(nnx.Module):
    """A residual block and, where there is one, the attention after it."""

    def __init__(self, block: ResidualBlock, attention: SelfAttention | None) -> None:
        self.block, self.attention = block, attention

    @property
    def resamples(self) -> bool:
        """Whether the block changes the resolution."""
        return self.block.resample is not None

    def __call__(
        self, x: Array, embedding: Array, *, beside: Array | None = None, key: Key | None = None
    ) -> Array:
        """(B, H, W, n_in), (B, n_embedding) -> (B, H', W', n_out)."""
        hidden = self.block(x, embedding, beside=beside, key=key)
        return hidden if self.attention is None else self.attention(hidden)


@dataclasses.dataclass(frozen=True)
class _Builder:
    """What all blocks of one network share."""

    n_embedding: int
    attention_resolutions: tuple[int, ...]
    dropout: float
    heads: int
    dtype: DType
    rngs: nnx.Rngs

    def stage(
        self, size: int, n_in: int, n_out: int, resample: Callable[[Array], Array] | None = None
    ) -> Stage:
        style = Style(dropout=self.dropout, rescale=2**0.5, dtype=self.dtype)
        block = ResidualBlock(n_in, n_out, self.n_embedding, style, resample=resample, rngs=self.rngs)
        if resample is not None or size not in self.attention_resolutions:
            return Stage(block, None)
        return Stage(
            block, SelfAttention(n_out, heads=self.heads, rescale=2**0.5, dtype=self.dtype, rngs=self.rngs)
        )


def _down(
    build: _Builder, size: int, channels: int, widths: list[int], blocks: int
) -> tuple[nnx.List, list[int]]:
    """Stages to the lowest resolution, and the channels of all outputs on the way (the skips)."""
    stages, skips = [], [channels]
    for level, width in enumerate(widths):
        for _ in range(blocks):
            stages.append(build.stage(size >> level, skips[-1], width))
            skips.append(width)
        if level + 1 < len(widths):
            stages.append(build.stage(size >> level, width, width, average_pool))
            skips.append(width)
    return nnx.List(stages), skips


def _up(build: _Builder, size: int, widths: list[int], blocks: int, skips: list[int]) -> nnx.List:
    """Stages back to the full resolution; each that does not resample takes one skip, last first."""
    stages, channels, skips = [], widths[-1], list(skips)
    for level, width in reversed(list(enumerate(widths))):
        for _ in range(blocks + 1):
            stages.append(build.stage(size >> level, channels + skips.pop(), width))
            channels = width
        if level:
            stages.append(build.stage(size >> level, width, width, nearest_upsample))
    return nnx.List(stages)


def _check_shape(shape: Sequence[int], levels: int) -> None:
    if len(shape) != 3:
        raise InputError("UNet.shape", shape, "(height, width, channels)", "flat data: use MLP")
    if levels < 1:
        raise InputError("UNet.multipliers", (), "at least one", "(1,) keeps one resolution")
    factor = 2 ** (levels - 1)
    if shape[0] % factor or shape[1] % factor:
        raise InputError(
            "UNet.shape", shape, f"height and width that {factor} divides, for {levels} resolutions",
            "give fewer multipliers",
        )  # fmt: skip
