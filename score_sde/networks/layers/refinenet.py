"""RefineNet (Lin et al. 2017) as Song and Ermon (2019, appendix A; 2020, appendix A) use it.

A residual network whose lowest levels dilate their convolutions instead of lowering the resolution, and
blocks that put its levels together again, the lowest first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.convolution import Conv
from score_sde.networks.layers.initializers import fan_in_bias_init, fan_in_uniform_init
from score_sde.networks.layers.interpolation import BILINEAR, Interpolation
from score_sde.networks.layers.linear import DType
from score_sde.networks.layers.neighbourhoods import neighbourhood_max
from score_sde.networks.layers.resample import average_pool
from score_sde.typing import Array, PerExample


@dataclasses.dataclass(frozen=True)
class RefineStyle:
    """What all blocks of one network share.

    Attributes:
        rank: axes of space, 1 or 2.
        norm: ``norm(channels, rngs=rngs)`` makes the norms of residual blocks, ``norm(x, labels)``.
        refine_norm: the same for the other blocks; None: they have none.
        act: the nonlinearity.
        pool: what chains of poolings see of a neighbourhood.
        interpolation: from a lower resolution to a higher one.
        dtype: what layers compute in; parameters and norms stay float32.
        remat: compute a block again in the backward pass instead of keeping its insides.
    """

    rank: int
    norm: Callable[..., Any]
    refine_norm: Callable[..., Any] | None = None
    act: Callable[[Array], Array] = jax.nn.elu
    pool: Callable[[Array], Array] = neighbourhood_max
    interpolation: Interpolation = BILINEAR
    dtype: DType = jnp.float32
    remat: bool = False

    def conv(
        self, n_in: int, n_out: int, rngs: nnx.Rngs, *, size: int = 3, dilation: int = 1, biased: bool = True
    ) -> Conv:
        """A convolution, drawn as PyTorch draws."""
        return Conv(
            n_in, n_out, size, rank=self.rank, dilation=dilation, init=fan_in_uniform_init,
            bias_init=fan_in_bias_init if biased else None, dtype=self.dtype, rngs=rngs,
        )  # fmt: skip

    def norms(self, channels: Sequence[int], rngs: nnx.Rngs) -> nnx.List | None:
        """Norms of blocks that put levels together."""
        if self.refine_norm is None:
            return None
        return nnx.List([self.refine_norm(n, rngs=rngs) for n in channels])

    def run(self, function: Callable[..., Array], *arguments: Any) -> Array:
        """``function``, perhaps to be computed again in the backward pass."""
        return (jax.checkpoint(function) if self.remat else function)(*arguments)


class DilatedBlock(nnx.Module):
    """skip(x) + conv(act(norm(conv(act(norm(x)))))); with ``lowers`` it begins a lower level.

    Such a block lowers the resolution by means of 2x2 pixels, or where it dilates its convolutions only
    takes the next number of channels.
    """

    def __init__(
        self, n_in: int, n_out: int, style: RefineStyle, *, lowers: bool, dilation: int, rngs: nnx.Rngs
    ) -> None:
        inner = n_in if lowers else n_out
        self.style, self.halves = style, lowers and dilation == 1
        self.norm1, self.norm2 = style.norm(n_in, rngs=rngs), style.norm(inner, rngs=rngs)
        self.conv1 = style.conv(n_in, inner, rngs, dilation=dilation)
        self.conv2 = style.conv(inner, n_out, rngs, dilation=dilation)
        size = 1 if dilation == 1 else 3
        changes = lowers or n_in != n_out
        self.skip = style.conv(n_in, n_out, rngs, size=size, dilation=dilation) if changes else None

    def __call__(self, x: Array, labels: PerExample) -> Array:
        """(B, *space, n_in), (B,) -> (B, *space', n_out)."""
        return self.style.run(_dilated, self, x, labels)


def _dilated(block: DilatedBlock, x: Array, labels: PerExample) -> Array:
    act = block.style.act
    hidden = block.conv1(act(block.norm1(x, labels)))
    hidden = block.conv2(act(block.norm2(hidden, labels)))
    if block.halves:  # the skip is a product of channels, which may as well come after the mean
        x, hidden = average_pool(x), average_pool(hidden)
    return hidden + (x if block.skip is None else block.skip(x))


class ResidualUnits(nnx.Module):
    """x + conv(act(conv(act(x)))), ``count`` times: RefineNet's residual convolution units."""

    def __init__(self, channels: int, count: int, style: RefineStyle, rngs: nnx.Rngs) -> None:
        self.style = style
        self.convs = nnx.List([style.conv(channels, channels, rngs, biased=False) for _ in range(2 * count)])
        self.norms = style.norms([channels] * 2 * count, rngs)

    def __call__(self, x: Array, labels: PerExample) -> Array:
        """(B, *space, channels) -> the same."""
        for index in range(0, len(self.convs), 2):
            hidden = x
            for step in (index, index + 1):
                hidden = self.convs[step](self.style.act(_normed(self.norms, step, hidden, labels)))
            x = x + hidden
        return x


class Fusion(nnx.Module):
    """The sum of all inputs, each through a convolution and interpolated: multi-resolution fusion."""

    def __init__(self, widths: Sequence[int], n_out: int, style: RefineStyle, rngs: nnx.Rngs) -> None:
        self.style = style
        self.convs = nnx.List([style.conv(width, n_out, rngs) for width in widths])
        self.norms = style.norms(widths, rngs)

    def __call__(self, inputs: Sequence[Array], labels: PerExample, size: Sequence[int]) -> Array:
        """(B, *space_i, widths[i]) -> (B, *size, n_out)."""
        hidden = [conv(_normed(self.norms, i, inputs[i], labels)) for i, conv in enumerate(self.convs)]
        return sum(self.style.interpolation(h, size) for h in hidden)  # type: ignore[return-value]


class PoolingChain(nnx.Module):
    """The sum of act(x) and of two poolings of it, each followed by a convolution."""

    def __init__(self, channels: int, style: RefineStyle, rngs: nnx.Rngs) -> None:
        self.style = style
        self.convs = nnx.List([style.conv(channels, channels, rngs, biased=False) for _ in range(2)])
        self.norms = style.norms([channels] * 2, rngs)

    def __call__(self, x: Array, labels: PerExample) -> Array:
        """(B, *space, channels) -> the same."""
        path = total = self.style.act(x)
        for index, conv in enumerate(self.convs):
            path = conv(self.style.pool(_normed(self.norms, index, path, labels)))
            total = total + path
        return total


class RefineBlock(nnx.Module):
    """Units for each input, their fusion where there are several, a chain of poolings, units."""

    def __init__(
        self, widths: Sequence[int], n_out: int, style: RefineStyle, *, units: int, rngs: nnx.Rngs
    ) -> None:
        self.style = style
        self.adapt = nnx.List([ResidualUnits(width, 2, style, rngs) for width in widths])
        self.fuse = Fusion(widths, n_out, style, rngs) if len(widths) > 1 else None
        self.chain = PoolingChain(n_out, style, rngs)
        self.output = ResidualUnits(n_out, units, style, rngs)

    def __call__(self, inputs: Sequence[Array], labels: PerExample) -> Array:
        """The inputs, that of the highest resolution first -> (B, *its space, n_out)."""
        return self.style.run(_refined, self, inputs, labels)


def _refined(block: RefineBlock, inputs: Sequence[Array], labels: PerExample) -> Array:
    hidden = [units(x, labels) for units, x in zip(block.adapt, inputs, strict=True)]
    fused = hidden[0] if block.fuse is None else block.fuse(hidden, labels, inputs[0].shape[1:-1])
    return block.output(block.chain(fused, labels), labels)


class RefineNet(nnx.Module):
    """conv(act(norm(refined levels of conv(x)))).

    Level i has two blocks with ``widths[i]`` channels and ``dilations[i]``; ``refined`` are the channels
    of the blocks that put levels together, the lowest level's first.
    """

    def __init__(
        self,
        n_image: int,
        widths: Sequence[int],
        dilations: Sequence[int],
        refined: Sequence[int],
        style: RefineStyle,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.act, channels = style.act, widths[0]
        self.first = style.conv(n_image, channels, rngs)
        levels = []
        for level, (width, dilation) in enumerate(zip(widths, dilations, strict=True)):
            begins = DilatedBlock(channels, width, style, lowers=level > 0, dilation=dilation, rngs=rngs)
            goes_on = DilatedBlock(width, width, style, lowers=False, dilation=dilation, rngs=rngs)
            levels.append(nnx.List([begins, goes_on]))
            channels = width
        self.levels = nnx.List(levels)
        blocks: list[RefineBlock] = []
        below: tuple[int, ...] = ()
        for number, (width, n_out) in enumerate(zip(reversed(widths), refined, strict=True), start=1):
            units = 3 if number == len(widths) else 1
            blocks.append(RefineBlock((width, *below), n_out, style, units=units, rngs=rngs))
            below = (n_out,)
        self.refine = nnx.List(blocks)
        self.norm = style.norm(refined[-1], rngs=rngs)
        self.last = dataclasses.replace(style, dtype=jnp.float32).conv(refined[-1], n_image, rngs)

    def __call__(self, x: Array, labels: PerExample) -> Array:
        """(B, *space, n_image), (B,) -> the same."""
        hidden, levels = self.first(x), []
        for blocks in self.levels:
            for block in blocks:
                hidden = block(hidden, labels)
            levels.append(hidden)
        refined: tuple[Array, ...] = ()
        for refine, level in zip(self.refine, reversed(levels), strict=True):
            refined = (refine((level, *refined), labels),)
        return self.last(self.act(self.norm(refined[0], labels).astype(x.dtype)))


def _normed(norms: Any, index: int, x: Array, labels: PerExample) -> Array:
    return x if norms is None else norms[index](x, labels)
