"""The two halves of a U-Net: residual blocks at falling and at rising resolutions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.layers.attention import SelfAttention
from score_sde.networks.layers.blocks import ResidualBlock, Style
from score_sde.networks.layers.heads import Heads
from score_sde.networks.layers.initializers import Init
from score_sde.networks.layers.output_pyramids import TOP_OUTPUT, OutputPyramid
from score_sde.networks.layers.pyramids import NO_INPUT, InputPyramid
from score_sde.networks.layers.resample import PLAIN_RESAMPLING, Resampling
from score_sde.networks.layers.rescaling import Rescaling
from score_sde.typing import Array, Key


@dataclasses.dataclass(frozen=True)
class Plan:
    """What all levels of one U-Net have in common.

    Attributes:
        widths: channels at each level, the full resolution first.
        blocks: residual blocks at each level going down; one more going up.
        attended: the levels whose blocks are followed by attention.
        style: of the blocks.
        n_embedding: features of the embedding that blocks are told; 0: they are told nothing.
        rescaling: the layers between levels.
        heads: number of heads for a number of channels; 0: no attention at so few.
        attention_init: how the weights of attention are drawn; None: as the style says.
        attention_scale: scale of the weights of q, k and v.
        resampling: filter of the pyramids.
    """

    widths: tuple[int, ...]
    blocks: int
    attended: tuple[int, ...]
    style: Style
    n_embedding: int
    rescaling: Rescaling
    heads: Heads
    attention_init: Init | None = None
    attention_scale: float = 1.0
    resampling: Resampling = PLAIN_RESAMPLING

    def stage(self, n_in: int, n_out: int, attend: bool, rngs: nnx.Rngs) -> Stage:
        """A residual block, and attention after it if ``attend``."""
        block = ResidualBlock(n_in, n_out, self.n_embedding or None, self.style, rngs=rngs)
        heads = self.heads(n_out) if attend else 0
        return Stage(block, self._attention(n_out, heads, rngs) if heads else None)

    def down(self, channels: int, rngs: nnx.Rngs) -> nnx.Module:
        """The layer that halves the resolution."""
        return self.rescaling.down(channels, self.n_embedding, self.style, rngs)

    def up(self, channels: int, rngs: nnx.Rngs) -> nnx.Module:
        """The layer that doubles the resolution."""
        return self.rescaling.up(channels, self.n_embedding, self.style, rngs)

    def _attention(self, channels: int, heads: int, rngs: nnx.Rngs) -> SelfAttention:
        style = self.style
        return SelfAttention(
            channels, heads=heads, rescale=style.rescale, init_scale=style.last_scale,
            qkv_scale=self.attention_scale, init=self.attention_init or style.init,
            bias_init=style.bias_init, norm=style.norm, dtype=style.dtype, remat=style.remat, rngs=rngs,
        )  # fmt: skip


class Stage(nnx.Module):
    """A residual block and, where there is one, the attention after it."""

    def __init__(self, block: ResidualBlock, attention: SelfAttention | None) -> None:
        self.block, self.attention = block, attention

    def __call__(
        self, x: Array, embedding: Array | None, *, beside: Array | None = None, key: Key | None = None
    ) -> Array:
        """(B, *space, n_in), (B, n_embedding) -> (B, *space, n_out)."""
        hidden = self.block(x, embedding, beside=beside, key=key)
        return hidden if self.attention is None else self.attention(hidden)


class EncoderLevel(nnx.Module):
    """The layer that comes down to this level, what it is told of the image, and its blocks."""

    def __init__(self, down: Any, told: Any, blocks: list[Stage]) -> None:
        self.down, self.told, self.blocks = down, told, nnx.List(blocks)


class Encoder(nnx.Module):
    """Down to the lowest resolution, and its middle: block, attention, block.

    ``skips`` are the channels of every output on the way; ``n_first`` those of the first convolution.
    """

    def __init__(
        self, n_image: int, n_first: int, plan: Plan, pyramid: InputPyramid = NO_INPUT, *, rngs: nnx.Rngs
    ) -> None:
        style = plan.style
        self.first = style.conv(
            n_image, n_first, rank=style.rank, init=style.init, bias_init=style.bias_init,
            dtype=style.dtype, rngs=rngs,
        )  # fmt: skip
        levels, skips = [], [n_first]
        for level, width in enumerate(plan.widths):
            down = told = None
            if level:
                down = plan.down(skips[-1], rngs)
                told = pyramid.level(n_image, skips[-1], style, plan.resampling, rngs)
                n_image, n_hidden = pyramid.channels(n_image, skips[-1])
                skips.append(n_hidden)
            blocks = []
            for _ in range(plan.blocks):
                blocks.append(plan.stage(skips[-1], width, level in plan.attended, rngs))
                skips.append(width)
            levels.append(EncoderLevel(down, told, blocks))
        self.levels, self.skips = nnx.List(levels), tuple(skips)
        deepest = skips[-1]
        self.middle = nnx.List([plan.stage(deepest, deepest, attend, rngs) for attend in (True, False)])

    @property
    def keys(self) -> int:
        """How many keys a call takes."""
        return len(self.skips) + 1

    def __call__(
        self, x: Array, embedding: Array | None, keys: Iterator[Key | None]
    ) -> tuple[Array, list[Array]]:
        """(B, *space, n_image), (B, n_embedding) -> the middle's output, and the skips."""
        hidden, image = self.first(x), x
        skips = [hidden]
        for level in self.levels:
            if level.down is not None:
                hidden = level.down(hidden, embedding, key=next(keys))
                if level.told is not None:
                    hidden, image = level.told(hidden, image)
                skips.append(hidden)
            for block in level.blocks:
                hidden = block(hidden, embedding, key=next(keys))
                skips.append(hidden)
        for block in self.middle:
            hidden = block(hidden, embedding, key=next(keys))
        return hidden, skips


class DecoderLevel(nnx.Module):
    """The layer that comes up to this level, its blocks, and the image that it gives."""

    def __init__(self, up: Any, blocks: list[Stage], image: Any) -> None:
        self.up, self.blocks, self.image = up, nnx.List(blocks), image


class Decoder(nnx.Module):
    """Up to the full resolution; each block takes one skip, the last first.

    ``attends(index)`` says which blocks of an attended level are followed by attention.
    """

    def __init__(
        self,
        n_out: int,
        skips: Sequence[int],
        plan: Plan,
        pyramid: OutputPyramid = TOP_OUTPUT,
        attends: Callable[[int], bool] = lambda index: True,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        levels, channels, left = [], skips[-1], list(skips)
        images = iter(pyramid.levels(plan.widths[::-1], n_out, plan.style, plan.resampling, rngs))
        for level, width in reversed(list(enumerate(plan.widths))):
            up = plan.up(channels, rngs) if level + 1 < len(plan.widths) else None
            blocks = []
            for index in range(plan.blocks + 1):
                attend = level in plan.attended and attends(index)
                blocks.append(plan.stage(channels + left.pop(), width, attend, rngs))
                channels = width
            levels.append(DecoderLevel(up, blocks, next(images)))
        self.levels = nnx.List(levels)
        self.keys = sum(len(level.blocks) + (level.up is not None) for level in levels)

    def __call__(
        self,
        hidden: Array,
        skips: list[Array],
        embedding: Array | None,
        keys: Iterator[Key | None],
        dtype: Any,
    ) -> Array:
        """The middle's output, the skips, (B, n_embedding) -> (B, *space, n_out) in ``dtype``."""
        image = None
        for level in self.levels:
            if level.up is not None:
                hidden = level.up(hidden, embedding, key=next(keys))
            for block in level.blocks:
                hidden = block(hidden, embedding, beside=skips.pop(), key=next(keys))
            if level.image is not None:
                hidden, image = level.image(hidden, image, dtype)
        return image  # type: ignore[return-value]  # the last level gives one


def attended_levels(size: int, levels: int, resolutions: Sequence[int]) -> tuple[int, ...]:
    """The levels whose resolution (along the first axis) is in ``resolutions``."""
    return tuple(level for level in range(levels) if size >> level in tuple(resolutions))


def require_shape(where: str, shape: Sequence[int], levels: int) -> tuple[int, ...]:
    """``shape`` as a tuple, after checking that it can be halved ``levels`` - 1 times.

    Raises:
        InputError: not (H, W, C) or (L, C), no level, or an axis that is not divisible.
    """
    if len(shape) not in (2, 3):
        raise InputError(f"{where}.shape", shape, "(height, width, channels) or (length, channels)")
    if levels < 1:
        raise InputError(f"{where}.multipliers", (), "at least one", "(1,) keeps one resolution")
    factor = 2 ** (levels - 1)
    if any(size % factor for size in shape[:-1]):
        expected = f"axes of space that {factor} divides, for {levels} resolutions"
        raise InputError(f"{where}.shape", shape, expected, "give fewer multipliers")
    return tuple(shape)


def require_example(where: str, x: Array, shape: tuple[int, ...]) -> None:
    """Raise InputError unless x is a batch of examples of this shape."""
    if x.shape[1:] != shape:
        raise InputError(f"{where}: shape of x", x.shape, f"(batch, *{shape})", "set shape to the data's")
