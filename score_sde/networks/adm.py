"""The networks of "Diffusion Models Beat GANs on Image Synthesis" (ADM)."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Literal

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.conditions import part, require_only
from score_sde.networks.layers import (
    HEADS_OF_64,
    RESCALING_BLOCKS,
    SCALE_SHIFT,
    ClassTable,
    Decoder,
    DType,
    Encoder,
    GroupNorm,
    Heads,
    Mapping,
    Modulation,
    Plan,
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


class ADM(nnx.Module):
    """The U-Net of Dhariwal and Nichol 2021 (section 3 and appendix D).

    ``cond`` may hold class labels (``n_classes``); none, or the label ``n_classes``, is the zero vector.
    Channels are multiples of 32, the number of groups in its norms.

    Attributes:
        channels: level i has ``channels * multipliers[i]``.
        blocks: residual blocks at each level.
        attention_resolutions: sizes of the first axis at which blocks are followed by attention.
        outputs: values per channel of x; 2: the noise, and where between its bounds the log variance lies.
        heads: of attention: ``HeadsOf(64)`` or ``ConstantHeads(4)``.
        heads_up: the same going up; None: as going down.
        modulation: how blocks are told the embedding, ``ScaleShift()`` or ``Added()``.
        rescaling: ``RescalingBlocks()``, ``RescalingConvolutions()`` or ``RescalingFilters()``.
        attention_order: how released weights hold q, k and v: "legacy", head by head, or "new", q then k
            then v. Asked when they are imported only.

    Raises:
        InputError: an axis that cannot be halved so often; x not of ``shape``; a condition it was not
            built to be told.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (64, 64, 3),
        channels: int = 192,
        multipliers: Sequence[float] = (1, 2, 3, 4),
        blocks: int = 3,
        attention_resolutions: Sequence[int] = (32, 16, 8),
        dropout: float = 0.0,
        n_classes: int | None = None,
        outputs: int = 2,
        heads: Heads = HEADS_OF_64,
        heads_up: Heads | None = None,
        modulation: Modulation = SCALE_SHIFT,
        rescaling: Rescaling = RESCALING_BLOCKS,
        attention_order: Literal["legacy", "new"] = "legacy",
        dtype: DType = jnp.float32,
        remat: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape = require_shape("ADM", shape, len(multipliers))
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
            last=None if n_classes is None else ClassTable(n_classes, n_embedding, rngs=rngs),
            init=fan_in_uniform_init, bias_init=fan_in_bias_init, rngs=rngs,
        )  # fmt: skip
        self.encoder = Encoder(self.inputs * shape[-1], plan.widths[0], plan, rngs=rngs)
        rising = plan if heads_up is None else dataclasses.replace(plan, heads=heads_up)
        self.decoder = Decoder(outputs * shape[-1], self.encoder.skips, rising, rngs=rngs)

    @property
    def inputs(self) -> int:
        """Values per channel of x that the first convolution sees."""
        return 1

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *space, outputs * C), of the dtype of x; dropout only with a key."""
        require_example("ADM", x, self.shape)
        require_only(cond, *self.mapping.told, network="ADM")
        return self.denoised(x, labels, cond, key)

    def denoised(self, x: Array, labels: PerExample, cond: Condition, key: Key | None) -> Batch:
        """The two halves, one after the other."""
        embedding = self.mapping(labels, part(cond, "label"))
        keys = split_or_none(key, self.encoder.keys + self.decoder.keys)
        hidden, skips = self.encoder(x, embedding, keys)
        return self.decoder(hidden, skips, embedding, keys, x.dtype)


class ADMSuperResolution(ADM):
    """ADM's U-Net of [x, low_res], the low resolution being interpolated linearly to that of x.

    ``cond["low_res"]`` (B, h, w, C) is required (Dhariwal and Nichol 2021, section 4.3 and appendix D).
    """

    @property
    def inputs(self) -> int:
        """Two: x and the low resolution."""
        return 2

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *space, outputs * C), of the dtype of x; dropout only with a key."""
        require_example("ADMSuperResolution", x, self.shape)
        require_only(cond, "low_res", *self.mapping.told, network="ADMSuperResolution")
        low = part(cond, "low_res")
        if low is None:
            raise InputError("cond of ADMSuperResolution", cond, "low_res", "give {'low_res': images}")
        wide = jax.image.resize(
            low.astype(x.dtype), (*x.shape[:-1], low.shape[-1]), "linear", antialias=False
        )
        return self.denoised(jnp.concatenate([x, wide], axis=-1), labels, cond, key)
