"""The image itself at every resolution, told to the hidden channels of a U-Net as it goes down.

Karras et al. 2020 for StyleGAN2; Song et al. 2021, appendix H; Karras et al. 2022, table 8.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod

import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.blocks import Style
from score_sde.networks.layers.convolution import Conv
from score_sde.networks.layers.resample import Resampling
from score_sde.networks.layers.resampled import HalvingConv
from score_sde.typing import Array


class Combination(ABC):
    """How what is told enters the hidden channels."""

    @abstractmethod
    def channels(self, n_hidden: int) -> int:
        """Channels of the result."""

    @abstractmethod
    def __call__(self, told: Array, hidden: Array) -> Array:
        """Two arrays (B, *space, n_hidden) -> (B, *space, channels(n_hidden))."""


@dataclasses.dataclass(frozen=True)
class Sum(Combination):
    """told + hidden."""

    def channels(self, n_hidden: int) -> int:
        """As many as there were."""
        return n_hidden

    def __call__(self, told: Array, hidden: Array) -> Array:
        """told + hidden."""
        return told + hidden


@dataclasses.dataclass(frozen=True)
class Concatenation(Combination):
    """[told, hidden] (``progressive_combine='cat'`` of Song et al. 2021's code)."""

    def channels(self, n_hidden: int) -> int:
        """Twice as many."""
        return 2 * n_hidden

    def __call__(self, told: Array, hidden: Array) -> Array:
        """[told, hidden]."""
        return jnp.concatenate([told, hidden], axis=-1)


SUM = Sum()


class InputPyramid(ABC):
    """Makes the layer that tells one lower level of the image: ``layer(hidden, image)`` gives both anew."""

    @abstractmethod
    def level(
        self, n_image: int, n_hidden: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> nnx.Module | None:
        """The layer between two levels; None: nothing is told."""

    @abstractmethod
    def channels(self, n_image: int, n_hidden: int) -> tuple[int, int]:
        """Channels of the image and of the hidden array below such a layer."""


@dataclasses.dataclass(frozen=True)
class NoInput(InputPyramid):
    """The image enters at the top only (DDPM++; EDM's ``encoder_type='standard'``)."""

    def level(
        self, n_image: int, n_hidden: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> nnx.Module | None:
        """None."""
        return None

    def channels(self, n_image: int, n_hidden: int) -> tuple[int, int]:
        """The same."""
        return n_image, n_hidden


NO_INPUT = NoInput()


@dataclasses.dataclass(frozen=True)
class InputSkip(InputPyramid):
    """h and W down(image) combined, W being a 1x1 convolution (NCSN++'s ``input_skip``; EDM's ``'skip'``).

    Attributes:
        combine: ``Sum()`` or ``Concatenation()``.
    """

    combine: Combination = SUM

    def level(
        self, n_image: int, n_hidden: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> nnx.Module | None:
        """A layer with W."""
        return ToldImage(n_image, n_hidden, style, resampling, self.combine, rngs)

    def channels(self, n_image: int, n_hidden: int) -> tuple[int, int]:
        """The image's, and those of the combination."""
        return n_image, self.combine.channels(n_hidden)


@dataclasses.dataclass(frozen=True)
class InputResidual(InputPyramid):
    """image <- h <- (h + strided conv(smooth(image))) / rescale (NCSN++; EDM's ``'residual'``)."""

    def level(
        self, n_image: int, n_hidden: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> nnx.Module | None:
        """A layer with the convolution."""
        return ResidualImage(n_image, n_hidden, style, resampling, rngs)

    def channels(self, n_image: int, n_hidden: int) -> tuple[int, int]:
        """Those of h, twice."""
        return n_hidden, n_hidden


class ToldImage(nnx.Module):
    """The layer of ``InputSkip``."""

    def __init__(
        self,
        n_image: int,
        n_hidden: int,
        style: Style,
        resampling: Resampling,
        combine: Combination,
        rngs: nnx.Rngs,
    ) -> None:
        self.conv = Conv(
            n_image, n_hidden, 1, rank=style.rank, init=style.init, bias_init=style.bias_init,
            dtype=style.dtype, rngs=rngs,
        )  # fmt: skip
        self.resampling, self.combine = resampling, combine

    def __call__(self, hidden: Array, image: Array) -> tuple[Array, Array]:
        """(B, *space, n_hidden), (B, *2 space, n_image) -> the hidden channels, and the image halved."""
        image = self.resampling.down(image)
        return self.combine(self.conv(image), hidden), image


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
