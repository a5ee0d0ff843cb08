"""The noise-conditional classifier of "Diffusion Models Beat GANs on Image Synthesis"."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal

import jax.numpy as jnp
from flax import nnx

from score_sde.networks.conditions import require_only
from score_sde.networks.layers import (
    ATTENTION_POOL,
    HEADS_OF_64,
    RESCALING_BLOCKS,
    SCALE_SHIFT,
    DType,
    Encoder,
    GroupNorm,
    Heads,
    Mapping,
    Modulation,
    Plan,
    Pool,
    PositionalEmbedding,
    Rescaling,
    Style,
    attended_levels,
    fan_in_bias_init,
    fan_in_uniform_init,
    require_example,
    require_shape,
    split_or_none,
)
from score_sde.networks.layers.embeddings import stepwise_exponentials
from score_sde.typing import Array, Batch, Condition, Key, PerExample

NORM = functools.partial(GroupNorm, groups=32, eps=1e-5)
POSITIONS = functools.partial(PositionalEmbedding, endpoint=False, frequencies=stepwise_exponentials)


class ADMClassifier(nnx.Module):
    """The encoder of ADM's U-Net and a pool: log p(class | x_t) up to a constant.

    Dhariwal and Nichol 2021, section 4.1 and appendix D. The attributes are those of ``ADM``;
    ``n_classes`` is the number of outputs. Channels are multiples of 32.

    Attributes:
        pool: ``AttentionPool()``, ``MeanPool()``, ``SpatialPool()`` or ``NormedSpatialPool()``.

    Raises:
        InputError: an axis that cannot be halved so often; x not of ``shape``; a condition.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (64, 64, 3),
        n_classes: int = 1000,
        channels: int = 128,
        multipliers: Sequence[float] = (1, 2, 3, 4),
        blocks: int = 4,
        attention_resolutions: Sequence[int] = (32, 16, 8),
        dropout: float = 0.0,
        heads: Heads = HEADS_OF_64,
        modulation: Modulation = SCALE_SHIFT,
        rescaling: Rescaling = RESCALING_BLOCKS,
        pool: Pool = ATTENTION_POOL,
        attention_order: Literal["legacy", "new"] = "legacy",
        dtype: DType = jnp.float32,
        remat: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape = require_shape("ADMClassifier", shape, len(multipliers))
        self.attention_order = attention_order
        style = Style(
            rank=len(shape) - 1, norm=NORM, modulation=modulation, dropout=dropout,
            init=fan_in_uniform_init, bias_init=fan_in_bias_init, dtype=dtype, remat=remat,
        )  # fmt: skip
        n_embedding = 4 * channels
        plan = Plan(
            widths=tuple(int(channels * m) for m in multipliers),
            blocks=blocks,
            attended=attended_levels(shape[0], len(multipliers), attention_resolutions),
            style=style,
            n_embedding=n_embedding,
            rescaling=rescaling,
            heads=heads,
            attention_init=fan_in_uniform_init,
        )
        self.mapping = Mapping(
            POSITIONS(channels), channels, n_embedding,
            init=fan_in_uniform_init, bias_init=fan_in_bias_init, rngs=rngs,
        )  # fmt: skip
        self.encoder = Encoder(shape[-1], plan.widths[0], plan, rngs=rngs)
        space = tuple(size >> (len(multipliers) - 1) for size in shape[:-1])
        widths = (*self.encoder.skips, plan.widths[-1])
        self.pool = pool.layer(widths, space, n_classes, style, rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Array:
        """(B, *shape), (B,) -> logits (B, n_classes), of the dtype of x; dropout only with a key."""
        require_example("ADMClassifier", x, self.shape)
        require_only(cond, network="ADMClassifier")
        keys = split_or_none(key, self.encoder.keys)
        hidden, skips = self.encoder(x, self.mapping(labels), keys)
        hidden = hidden.astype(x.dtype)
        return self.pool(hidden, [*(skip.astype(x.dtype) for skip in skips), hidden]).astype(x.dtype)
