"""A U-Net whose blocks of one resolution are a tower, by default a reversible one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers import (
    RESCALING_BLOCKS,
    ConstantHeads,
    Conv,
    Depth,
    DType,
    GroupNorm,
    LabelEmbedding,
    Plan,
    PositionalEmbedding,
    Reversible,
    Style,
    attended_levels,
    require_example,
    require_shape,
    split_or_none,
)
from score_sde.typing import Array, Batch, Condition, Key, PerExample

REVERSIBLE = Reversible()


class ReversibleUNet(nnx.Module):
    """Towers of residual blocks between the layers that change resolution or channels.

    The blocks are those of DDPM++ (Song et al. 2021, appendix H) without its 1/sqrt(2): they add to their
    input, as a reversible tower needs. A level is a layer that comes to its resolution, one block that brings
    ``channels * multipliers[i]`` channels, and ``blocks`` more as a tower; attention follows each block of a
    tower whose resolution is in ``attention_resolutions``. One skip leads from each level to its mirror,
    where a U-Net of separate blocks has one from each block: skips are kept, and would grow with depth.
    What is kept for the backward pass then grows with the levels, not with ``blocks``.

    ``label_scale`` brings the noise labels to the size of DDPM's, 0 .. 999. With ``n_classes``, ``cond`` is
    (B,) class labels, where ``n_classes`` itself and ``cond=None`` mean "no class".

    Attributes:
        blocks: in each tower, at least 2 for a reversible one.
        layers: how towers are held and run; ``Unrolled()`` keeps all activations.

    Raises:
        InputError: a resolution that cannot be halved so often; towers too short; x not of ``shape``; class
            labels for a network without classes.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (8, 8, 1),
        channels: int = 32,
        multipliers: Sequence[int] = (1, 2),
        blocks: int = 2,
        attention_resolutions: Sequence[int] = (4,),
        dropout: float = 0.1,
        n_classes: int | None = None,
        heads: int = 1,
        label_scale: float = 1.0,
        layers: Depth = REVERSIBLE,
        dtype: DType = jnp.float32,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape = require_shape("ReversibleUNet", shape, len(multipliers))
        plan = Plan(
            widths=tuple(channels * m for m in multipliers),
            blocks=blocks,
            attended=attended_levels(shape[0], len(multipliers), attention_resolutions),
            style=Style(rank=len(shape) - 1, dropout=dropout, dtype=dtype),
            n_embedding=4 * channels,
            rescaling=RESCALING_BLOCKS,
            heads=ConstantHeads(heads),
        )
        self.embedding = LabelEmbedding(
            PositionalEmbedding(channels, scale=label_scale), channels, plan.n_embedding, n_classes,
            dtype=dtype, rngs=rngs,
        )  # fmt: skip
        rank, widths = plan.style.rank, plan.widths
        self.first = Conv(shape[-1], widths[0], rank=rank, dtype=dtype, rngs=rngs)
        self.down = nnx.List(_falling(plan, layers, rngs))
        self.up = nnx.List(_rising(plan, layers, rngs))
        self.norm = GroupNorm(widths[0])
        self.last = Conv(widths[0], shape[-1], rank=rank, init_scale=0.0, dtype=dtype, rngs=rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *shape), of the dtype of x; dropout only with a key."""
        require_example("ReversibleUNet", x, self.shape)
        embedding = self.embedding(labels, cond)
        keys = split_or_none(key, len(self.down) + len(self.up))
        hidden, skips = self.first(x), []
        for level in self.down:
            hidden = level(hidden, embedding, key=next(keys))
            skips.append(hidden)
        del skips[-1]  # the lowest level's is what goes up
        for level in self.up:
            hidden = level(hidden, embedding, beside=skips.pop(), key=next(keys))
        return self.last(jax.nn.silu(self.norm(hidden))).astype(x.dtype)


class Level(nnx.Module):
    """The layer that comes to a resolution, the block that comes to its channels, and the tower."""

    def __init__(self, resample: Any, enter: Any, tower: Any) -> None:
        self.resample, self.enter, self.tower = resample, enter, tower

    def __call__(
        self, x: Array, embedding: Array, *, beside: Array | None = None, key: Key | None = None
    ) -> Array:
        """(B, *space, n_in), (B, n_embedding) -> (B, *space', n_out)."""
        first, second, third = split_or_none(key, 3)
        if self.resample is not None:
            x = self.resample(x, embedding, key=first)
            x = self.enter(x, embedding, beside=beside, key=second)
        return self.tower(x, embedding, key=third)


def _falling(plan: Plan, layers: Depth, rngs: nnx.Rngs) -> Iterator[Level]:
    """From the full resolution to the lowest."""
    yield Level(None, None, _tower(plan, 0, layers, rngs))
    for level, (above, width) in enumerate(zip(plan.widths, plan.widths[1:], strict=False), start=1):
        enter = plan.stage(above, width, False, rngs)
        yield Level(plan.down(above, rngs), enter, _tower(plan, level, layers, rngs))


def _rising(plan: Plan, layers: Depth, rngs: nnx.Rngs) -> Iterator[Level]:
    """And back; each takes the skip of its mirror."""
    for level in reversed(range(len(plan.widths) - 1)):
        width, below = plan.widths[level : level + 2]
        enter = plan.stage(below + width, width, False, rngs)
        yield Level(plan.up(below, rngs), enter, _tower(plan, level, layers, rngs))


def _tower(plan: Plan, level: int, layers: Depth, rngs: nnx.Rngs) -> Any:
    """The blocks of a level."""
    width, attend = plan.widths[level], level in plan.attended
    return layers.tower(lambda rngs: plan.stage(width, width, attend, rngs), plan.blocks, rngs)
