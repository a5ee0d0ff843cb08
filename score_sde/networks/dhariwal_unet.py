"""EDM's form of the ADM network."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import jax.numpy as jnp
from flax import nnx

from score_sde.networks.conditions import part, require_only
from score_sde.networks.layers import (
    ClassTable,
    Decoder,
    DType,
    Encoder,
    GroupNorm,
    Linear,
    Mapping,
    Plan,
    PositionalEmbedding,
    RescalingBlocks,
    ScaleShift,
    Style,
    WholeHeads,
    attended_levels,
    fan_in_bias_init,
    fan_in_uniform_init,
    require_example,
    require_shape,
    split_or_none,
)
from score_sde.networks.layers.embeddings import stepwise_powers
from score_sde.typing import Batch, Condition, Key, PerExample

NORM = functools.partial(GroupNorm, eps=1e-5)
POSITIONS = functools.partial(PositionalEmbedding, endpoint=False, frequencies=stepwise_powers)


class DhariwalUNet(nnx.Module):
    """The U-Net of Karras et al. 2022 (appendix F.1, table 7) after Dhariwal and Nichol 2021.

    Scale-shift norms, residual blocks that change the resolution, 64 channels a head in attention (none
    where there are fewer than 64). ``cond`` may hold class labels (``n_classes``) and augmentation labels
    (``augment_dim``); without them it is told zeros. The attributes are those of ``SongUNet``.

    Raises:
        InputError: an axis that cannot be halved so often; x not of ``shape``; a condition it was not
            built to be told.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (64, 64, 3),
        channels: int = 192,
        multipliers: Sequence[int] = (1, 2, 3, 4),
        blocks: int = 3,
        attention_resolutions: Sequence[int] = (32, 16, 8),
        dropout: float = 0.1,
        n_classes: int | None = None,
        augment_dim: int | None = None,
        embedding_multiplier: int = 4,
        outputs: int = 1,
        dtype: DType = jnp.float32,
        remat: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape = require_shape("DhariwalUNet", shape, len(multipliers))
        style = Style(
            rank=len(shape) - 1, norm=NORM, modulation=ScaleShift(), dropout=dropout,
            init=fan_in_uniform_init, bias_init=fan_in_bias_init, dtype=dtype, remat=remat,
        )  # fmt: skip
        n_embedding = channels * embedding_multiplier
        plan = Plan(
            widths=tuple(channels * m for m in multipliers),
            blocks=blocks,
            attended=attended_levels(shape[0], len(multipliers), attention_resolutions),
            style=style,
            n_embedding=n_embedding,
            rescaling=RescalingBlocks(),
            heads=WholeHeads(64),
            attention_init=fan_in_uniform_init,
        )
        self.mapping = _mapping(channels, n_embedding, n_classes, augment_dim, rngs)
        self.encoder = Encoder(shape[-1], plan.widths[0], plan, rngs=rngs)
        self.decoder = Decoder(outputs * shape[-1], self.encoder.skips, plan, rngs=rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *space, outputs * C), of the dtype of x; dropout only with a key."""
        require_example("DhariwalUNet", x, self.shape)
        require_only(cond, *self.mapping.told, network="DhariwalUNet")
        embedding = self.mapping(labels, part(cond, "label"), part(cond, "augment"))
        keys = split_or_none(key, self.encoder.keys + self.decoder.keys)
        hidden, skips = self.encoder(x, embedding, keys)
        return self.decoder(hidden, skips, embedding, keys, x.dtype)


def _mapping(
    n_features: int, n_out: int, n_classes: int | None, augment_dim: int | None, rngs: nnx.Rngs
) -> Mapping:
    classes = augment = None
    if n_classes is not None:
        classes = ClassTable(n_classes, n_out, rngs=rngs)
    if augment_dim is not None:
        augment = Linear(augment_dim, n_features, init_scale=0.0, bias_init=None, rngs=rngs)
    return Mapping(
        POSITIONS(n_features), n_features, n_out, last=classes, augment=augment,
        init=fan_in_uniform_init, bias_init=fan_in_bias_init, rngs=rngs,
    )  # fmt: skip
