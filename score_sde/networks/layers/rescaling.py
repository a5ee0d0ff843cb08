"""How a U-Net goes from one resolution to the next."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any

from flax import nnx

from score_sde.networks.layers.blocks import ResidualBlock, Style
from score_sde.networks.layers.convolution import Conv
from score_sde.networks.layers.resample import NAIVE, PLAIN_RESAMPLING, Resampling
from score_sde.networks.layers.resampled import DoublingConv, HalvingConv
from score_sde.typing import Array, Key


class Rescaling(ABC):
    """Makes the layers between the levels; each is called ``layer(x, embedding, key=key)``."""

    @abstractmethod
    def down(self, channels: int, n_embedding: int, style: Style, rngs: nnx.Rngs) -> nnx.Module:
        """A layer (B, *space, channels) -> (B, *space / 2, channels)."""

    @abstractmethod
    def up(self, channels: int, n_embedding: int, style: Style, rngs: nnx.Rngs) -> nnx.Module:
        """A layer (B, *space, channels) -> (B, *2 space, channels)."""


@dataclasses.dataclass(frozen=True)
class RescalingBlocks(Rescaling):
    """Residual blocks that resample both branches (Brock et al. 2019; ADM's ``resblock_updown``, EDM).

    Attributes:
        resampling: the filter.
        skip_size: kernel of a convolution on the skip; 0: none.
    """

    resampling: Resampling = PLAIN_RESAMPLING
    skip_size: int = 0

    def down(self, channels: int, n_embedding: int, style: Style, rngs: nnx.Rngs) -> nnx.Module:
        """A block that halves the resolution."""
        return self._block(channels, n_embedding, style, self.resampling.down, rngs)

    def up(self, channels: int, n_embedding: int, style: Style, rngs: nnx.Rngs) -> nnx.Module:
        """A block that doubles the resolution."""
        return self._block(channels, n_embedding, style, self.resampling.up, rngs)

    def _block(
        self, channels: int, n_embedding: int, style: Style, resample: Any, rngs: nnx.Rngs
    ) -> ResidualBlock:
        return ResidualBlock(
            channels,
            channels,
            n_embedding or None,
            style,
            resample=resample,
            skip_size=self.skip_size,
            rngs=rngs,
        )


@dataclasses.dataclass(frozen=True)
class RescalingConvolutions(Rescaling):
    """A strided 3x3 convolution down; repeated pixels and a 3x3 convolution up (ADM's ``conv_resample``)."""

    def down(self, channels: int, n_embedding: int, style: Style, rngs: nnx.Rngs) -> nnx.Module:
        """A convolution of stride two."""
        return Rescaled(None, _convolution(channels, 2, style, rngs))

    def up(self, channels: int, n_embedding: int, style: Style, rngs: nnx.Rngs) -> nnx.Module:
        """Repeated pixels, then a convolution."""
        return Rescaled(PLAIN_RESAMPLING.up, _convolution(channels, 1, style, rngs))


@dataclasses.dataclass(frozen=True)
class RescalingResampledConvolutions(Rescaling):
    """3x3 convolutions together with a filter (Ho et al. 2020; Song et al. 2021's ``resamp_with_conv``).

    Attributes:
        resampling: the filter; ``Naive()`` is a convolution of every second pixel, or of repeated ones.
    """

    resampling: Resampling = NAIVE

    def down(self, channels: int, n_embedding: int, style: Style, rngs: nnx.Rngs) -> nnx.Module:
        """A convolution that halves the resolution."""
        return Rescaled(None, HalvingConv(channels, channels, style, self.resampling, rngs))

    def up(self, channels: int, n_embedding: int, style: Style, rngs: nnx.Rngs) -> nnx.Module:
        """A convolution that doubles the resolution."""
        return Rescaled(None, DoublingConv(channels, channels, style, self.resampling, rngs))


RESCALING_RESAMPLED_CONVOLUTIONS = RescalingResampledConvolutions()


@dataclasses.dataclass(frozen=True)
class RescalingFilters(Rescaling):
    """Nothing to learn: the filter alone.

    Attributes:
        resampling: the filter.
    """

    resampling: Resampling = PLAIN_RESAMPLING

    def down(self, channels: int, n_embedding: int, style: Style, rngs: nnx.Rngs) -> nnx.Module:
        """The filter down."""
        return Rescaled(self.resampling.down, None)

    def up(self, channels: int, n_embedding: int, style: Style, rngs: nnx.Rngs) -> nnx.Module:
        """The filter up."""
        return Rescaled(self.resampling.up, None)


RESCALING_BLOCKS = RescalingBlocks()


class Rescaled(nnx.Module):
    """conv(resample(x)), of which either may be missing; the embedding is not asked."""

    def __init__(self, resample: Any, conv: Any) -> None:
        self.resample, self.conv = resample, conv

    def __call__(self, x: Array, embedding: Array | None = None, *, key: Key | None = None) -> Array:
        """(B, *space, C) -> (B, *space', C)."""
        x = x if self.resample is None else self.resample(x)
        return x if self.conv is None else self.conv(x)


def _convolution(channels: int, stride: int, style: Style, rngs: nnx.Rngs) -> Conv:
    return Conv(
        channels, channels, rank=style.rank, stride=stride, init=style.init, bias_init=style.bias_init,
        dtype=style.dtype, rngs=rngs,
    )  # fmt: skip
