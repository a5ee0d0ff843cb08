"""Convolutions that change the resolution, together with a filter."""

from __future__ import annotations

from flax import nnx

from score_sde.networks.layers.blocks import Style
from score_sde.networks.layers.convolution import convolve
from score_sde.networks.layers.linear import computed
from score_sde.networks.layers.resample import Resampling
from score_sde.typing import Array


class ResampledConv(nnx.Module):
    """What ``HalvingConv`` and ``DoublingConv`` have in common: a 3x3 kernel, a bias and a filter."""

    def __init__(self, n_in: int, n_out: int, style: Style, resampling: Resampling, rngs: nnx.Rngs) -> None:
        self.kernel = nnx.Param(style.init(rngs.params(), (*(3,) * style.rank, n_in, n_out), 1.0))
        self.bias = nnx.Param(style.bias_init(rngs.params(), self.kernel.shape))
        self.resampling, self.dtype = resampling, style.dtype

    def convolved(self, x: Array, stride: int) -> Array:
        """The convolution without padding."""
        kernel, bias = computed(self.kernel[...], self.dtype), computed(self.bias[...], self.dtype)
        return convolve(x, kernel, stride, padding=0) + bias


class HalvingConv(ResampledConv):
    """Every second pixel of conv(smooth(x)), 3x3, with x zero outside and no cut between the two.

    The smoothing is the resampling's filter; both are computed where they are needed only.
    """

    def __call__(self, x: Array) -> Array:
        """(B, *space, n_in) -> (B, *space / 2, n_out)."""
        return self.convolved(self.resampling.smoothed(computed(x, self.dtype)), 2)


class DoublingConv(ResampledConv):
    """conv(up(x)), 3x3, with x zero outside and no cut between the two."""

    def __call__(self, x: Array) -> Array:
        """(B, *space, n_in) -> (B, *2 space, n_out)."""
        return self.convolved(self.resampling.spread(computed(x, self.dtype)), 1)
