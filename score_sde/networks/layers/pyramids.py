"""The image itself at every resolution, beside the hidden channels of a U-Net.

Going down, an input pyramid is told to each level; going up, an output pyramid gathers the result (Karras
et al. 2020 for StyleGAN2; Song et al. 2021, appendix H; Karras et al. 2022, table 8).
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod

from flax import nnx

from score_sde.networks.layers.blocks import Style
from score_sde.networks.layers.convolution import Conv, convolve
from score_sde.networks.layers.linear import computed
from score_sde.networks.layers.resample import Resampling
from score_sde.typing import Array


class InputPyramid(ABC):
    """Makes the layer that tells one lower level of the image: ``layer(hidden, image)`` gives both anew."""

    @abstractmethod
    def level(
        self, n_image: int, n_hidden: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> nnx.Module | None:
        """The layer between two levels; None: nothing is told."""

    @abstractmethod
    def channels(self, n_image: int, n_hidden: int) -> int:
        """Channels of the image below such a layer."""


@dataclasses.dataclass(frozen=True)
class NoInput(InputPyramid):
    """The image enters at the top only (DDPM++; EDM's ``encoder_type='standard'``)."""

    def level(
        self, n_image: int, n_hidden: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> nnx.Module | None:
        """None."""
        return None

    def channels(self, n_image: int, n_hidden: int) -> int:
        """Those of the image."""
        return n_image


@dataclasses.dataclass(frozen=True)
class InputSkip(InputPyramid):
    """h + W down(image), a 1x1 convolution (EDM's ``'skip'``)."""

    def level(
        self, n_image: int, n_hidden: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> nnx.Module | None:
        """A layer with W."""
        return ToldImage(n_image, n_hidden, style, resampling, rngs)

    def channels(self, n_image: int, n_hidden: int) -> int:
        """Those of the image."""
        return n_image


@dataclasses.dataclass(frozen=True)
class InputResidual(InputPyramid):
    """image <- h <- (h + strided conv(smooth(image))) / rescale (NCSN++; EDM's ``'residual'``)."""

    def level(
        self, n_image: int, n_hidden: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> nnx.Module | None:
        """A layer with the convolution."""
        return ResidualImage(n_image, n_hidden, style, resampling, rngs)

    def channels(self, n_image: int, n_hidden: int) -> int:
        """Those of h."""
        return n_hidden


NO_INPUT = NoInput()


class ToldImage(nnx.Module):
    """The layer of ``InputSkip``."""

    def __init__(
        self, n_image: int, n_hidden: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> None:
        self.conv = Conv(
            n_image, n_hidden, 1, rank=style.rank, init=style.init, bias_init=style.bias_init,
            dtype=style.dtype, rngs=rngs,
        )  # fmt: skip
        self.resampling = resampling

    def __call__(self, hidden: Array, image: Array) -> tuple[Array, Array]:
        """(B, *space, n_hidden), (B, *2 space, n_image) -> the hidden channels, and the image halved."""
        image = self.resampling.down(image)
        return hidden + self.conv(image), image


class ResidualImage(nnx.Module):
    """The layer of ``InputResidual``."""

    def __init__(
        self, n_image: int, n_hidden: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> None:
        self.conv = HalvingConv(n_image, n_hidden, style, resampling, rngs)
        self.rescale = style.rescale

    def __call__(self, hidden: Array, image: Array) -> tuple[Array, Array]:
        """(B, *space, n_hidden), (B, *2 space, n_image) -> the sum, twice."""
        both = (hidden + self.conv(image)) / self.rescale
        return both, both


class HalvingConv(nnx.Module):
    """Every second pixel of conv(smooth(x)), 3x3, with x zero outside and no cut between the two.

    The smoothing is the resampling's filter; both are computed where they are needed only.
    """

    def __init__(self, n_in: int, n_out: int, style: Style, resampling: Resampling, rngs: nnx.Rngs) -> None:
        self.kernel = nnx.Param(style.init(rngs.params(), (*(3,) * style.rank, n_in, n_out), 1.0))
        self.bias = nnx.Param(style.bias_init(rngs.params(), self.kernel.shape))
        self.resampling, self.dtype = resampling, style.dtype

    def __call__(self, x: Array) -> Array:
        """(B, *space, n_in) -> (B, *space / 2, n_out)."""
        smooth = self.resampling.smoothed(computed(x, self.dtype))
        return convolve(smooth, computed(self.kernel[...], self.dtype), stride=2, padding=0) + computed(
            self.bias[...], self.dtype
        )


class OutputPyramid(ABC):
    """Which levels give an image; where several do, each is added to the doubled sum of those below."""

    @abstractmethod
    def gives(self, level: int) -> bool:
        """Whether this level (0 is the full resolution) gives an image."""


@dataclasses.dataclass(frozen=True)
class TopOutput(OutputPyramid):
    """The full resolution only (EDM's ``decoder_type='standard'``)."""

    def gives(self, level: int) -> bool:
        """At level 0."""
        return level == 0


@dataclasses.dataclass(frozen=True)
class OutputSkip(OutputPyramid):
    """Every level (NCSN++'s ``output_skip``; EDM's ``'skip'``)."""

    def gives(self, level: int) -> bool:
        """Always."""
        return True


TOP_OUTPUT = TopOutput()
