"""The network of Ho et al. 2020."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.conditions import part, require_only
from score_sde.networks.layers import (
    RESCALING_RESAMPLED_CONVOLUTIONS,
    ConstantHeads,
    Decoder,
    DType,
    Encoder,
    GroupNorm,
    Plan,
    PositionalEmbedding,
    Rescaling,
    Style,
    attended_levels,
    label_embedding,
    require_example,
    require_shape,
    split_or_none,
)
from score_sde.typing import Array, Batch, Condition, Key, PerExample

NO_SCALE = 1e-10  # variance of weights that are published as starting at zero


class DDPM(nnx.Module):
    """The U-Net of Ho et al. 2020 (appendix B), as in Song et al. 2021.

    Attention has one head; going up it follows the last block of a level only. The output is not divided
    by sigma: that belongs to the preconditioning. ``cond`` may hold class labels, where ``n_classes``
    itself and no label mean "no class".

    Attributes:
        channels: width of the first convolution; level i has ``channels * multipliers[i]``.
        blocks: residual blocks at each level.
        attention_resolutions: sizes of the first axis at which blocks are followed by attention.
        embedding: ``embedding(channels, rngs=rngs)`` makes the embedding of noise labels; None: the
            network is not told the noise.
        rescaling: between resolutions, ``RescalingResampledConvolutions()`` or ``RescalingFilters()``.
        groups: of the norms; all widths are multiples.
        act: the nonlinearity.
        input_scale, input_shift: the network sees input_scale x + input_shift: 2 and -1 bring data in
            [0, 1] to the published [-1, 1].

    Raises:
        InputError: an axis that cannot be halved so often; x not of ``shape``; a condition it was not
            built to be told.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (32, 32, 3),
        channels: int = 128,
        multipliers: Sequence[int] = (1, 2, 2, 2),
        blocks: int = 2,
        attention_resolutions: Sequence[int] = (16,),
        dropout: float = 0.1,
        n_classes: int | None = None,
        embedding: Callable[..., Any] | None = PositionalEmbedding,
        rescaling: Rescaling = RESCALING_RESAMPLED_CONVOLUTIONS,
        groups: int = 32,
        act: Callable[[Array], Array] = jax.nn.silu,
        input_scale: float = 1.0,
        input_shift: float = 0.0,
        dtype: DType = jnp.float32,
        remat: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape = require_shape("DDPM", shape, len(multipliers))
        self.input_scale, self.input_shift = input_scale, input_shift
        style = Style(
            rank=len(shape) - 1, act=act, norm=functools.partial(GroupNorm, groups=groups), dropout=dropout,
            last_scale=NO_SCALE, skip_scale=0.1, dtype=dtype, remat=remat,
        )  # fmt: skip
        plan = Plan(
            widths=tuple(channels * m for m in multipliers),
            blocks=blocks,
            attended=attended_levels(shape[0], len(multipliers), attention_resolutions),
            style=style,
            n_embedding=0 if embedding is None else 4 * channels,
            rescaling=rescaling,
            heads=ConstantHeads(1),
            attention_scale=0.2,  # of q, k and v as one product: a tenth for each of the published three
        )
        self.mapping = label_embedding(embedding, channels, n_classes, act=act, dtype=dtype, rngs=rngs)
        self.encoder = Encoder(shape[-1], channels, plan, rngs=rngs)
        last = blocks  # the index of the last block of a level going up
        self.decoder = Decoder(
            shape[-1], self.encoder.skips, plan, attends=lambda index: index == last, rngs=rngs
        )

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *shape), of the dtype of x; dropout only with a key."""
        require_example("DDPM", x, self.shape)
        require_only(cond, *(() if self.mapping is None else ("label",)), network="DDPM")
        embedding = None if self.mapping is None else self.mapping(labels, part(cond, "label"))
        keys = split_or_none(key, self.encoder.keys + self.decoder.keys)
        hidden, skips = self.encoder(self.input_scale * x + self.input_shift, embedding, keys)
        return self.decoder(hidden, skips, embedding, keys, x.dtype)
