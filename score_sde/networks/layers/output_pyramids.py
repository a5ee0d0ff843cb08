"""The image that a U-Net gives, gathered at every resolution as it goes up.

Karras et al. 2020 for StyleGAN2; Song et al. 2021, appendix H; Karras et al. 2022, table 8.
"""

from __future__ import annotations

import dataclasses
import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from flax import nnx

from score_sde.networks.layers.blocks import Style
from score_sde.networks.layers.resample import Resampling
from score_sde.networks.layers.resampled import DoublingConv
from score_sde.typing import Array


class OutputPyramid(ABC):
    """Makes a layer after each level: ``layer(hidden, image, dtype)`` gives both anew, in ``dtype``.

    The first is called with no image; the image that the last one gives is the network's output.
    """

    @abstractmethod
    def levels(
        self, widths: Sequence[int], n_out: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> list[nnx.Module | None]:
        """The layers of levels with these channels, the lowest resolution first; None: nothing is given."""


@dataclasses.dataclass(frozen=True)
class TopOutput(OutputPyramid):
    """The full resolution gives the image (DDPM++; EDM's ``decoder_type='standard'``)."""

    def levels(
        self, widths: Sequence[int], n_out: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> list[nnx.Module | None]:
        """One layer, the last."""
        return [*[None] * (len(widths) - 1), ImageOutput(widths[-1], n_out, style, resampling, rngs)]


TOP_OUTPUT = TopOutput()


@dataclasses.dataclass(frozen=True)
class OutputSkip(OutputPyramid):
    """image <- up(image) + conv(act(norm(h))) at every level (NCSN++'s ``output_skip``; EDM's ``'skip'``)."""

    def levels(
        self, widths: Sequence[int], n_out: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> list[nnx.Module | None]:
        """One layer for each level."""
        return [ImageOutput(width, n_out, style, resampling, rngs) for width in widths]


@dataclasses.dataclass(frozen=True)
class OutputResidual(OutputPyramid):
    """image <- h <- (h + conv(up(image))) / rescale, from conv(act(norm(h))) at the lowest level.

    NCSN++'s ``progressive='residual'``: the image is hidden channels until the full resolution's last
    layer.
    """

    def levels(
        self, widths: Sequence[int], n_out: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> list[nnx.Module | None]:
        """One layer for each level, the last of which ends in an image."""
        layers: list[Any] = [HiddenStart(widths[0], style, rngs)]
        for below, width in itertools.pairwise(widths):
            layers.append(HiddenImage(below, width, style, resampling, rngs))
        output = ImageOutput(widths[-1], n_out, style, resampling, rngs)
        return [*layers[:-1], EndingHidden(layers[-1], output)]


class ImageOutput(nnx.Module):
    """up(image) + conv(act(norm(hidden))), with zeros or small weights to start from.

    Computed in the parameters' type.
    """

    def __init__(
        self, channels: int, n_out: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> None:
        self.norm, self.act, self.resampling = style.norm(channels), style.act, resampling
        self.conv = style.conv(
            channels, n_out, rank=style.rank, init=style.init, init_scale=style.last_scale, rngs=rngs
        )

    def __call__(self, hidden: Array, image: Array | None, dtype: Any) -> tuple[Array, Array]:
        """(B, *space, channels), the lower image or None -> hidden, (B, *space, n_out)."""
        given = self.conv(self.act(self.norm(hidden.astype(dtype))))
        return hidden, given if image is None else self.resampling.up(image) + given


class HiddenStart(nnx.Module):
    """conv(act(norm(hidden))), as many channels."""

    def __init__(self, channels: int, style: Style, rngs: nnx.Rngs) -> None:
        self.norm, self.act = style.norm(channels), style.act
        self.conv = style.conv(
            channels, channels, rank=style.rank, init=style.init, bias_init=style.bias_init,
            dtype=style.dtype, rngs=rngs,
        )  # fmt: skip

    def __call__(self, hidden: Array, image: Array | None, dtype: Any) -> tuple[Array, Array]:
        """(B, *space, channels) -> hidden, (B, *space, channels)."""
        return hidden, self.conv(self.act(self.norm(hidden)))


class HiddenImage(nnx.Module):
    """(hidden + conv(up(image))) / rescale, twice."""

    def __init__(
        self, n_image: int, n_hidden: int, style: Style, resampling: Resampling, rngs: nnx.Rngs
    ) -> None:
        self.conv, self.rescale = DoublingConv(n_image, n_hidden, style, resampling, rngs), style.rescale

    def __call__(self, hidden: Array, image: Array, dtype: Any) -> tuple[Array, Array]:
        """(B, *2 space, n_hidden), (B, *space, n_image) -> (B, *2 space, n_hidden), twice."""
        both = (hidden + self.conv(image)) / self.rescale
        return both, both


class EndingHidden(nnx.Module):
    """A layer of hidden images, and the image itself."""

    def __init__(self, layer: Any, output: ImageOutput) -> None:
        self.layer, self.output = layer, output

    def __call__(self, hidden: Array, image: Array | None, dtype: Any) -> tuple[Array, Array]:
        """(B, *space, n_hidden), the lower image -> hidden, (B, *space, n_out)."""
        hidden, _ = self.layer(hidden, image, dtype)
        return self.output(hidden, None, dtype)
