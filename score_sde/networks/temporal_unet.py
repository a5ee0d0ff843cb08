"""A U-Net along one axis: signals, series, windows of trajectories."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.conditions import part, require_only
from score_sde.networks.layers import (
    RESCALING_BLOCKS,
    SCALE_SHIFT,
    ConstantHeads,
    Conv,
    Decoder,
    DType,
    Encoder,
    LabelEmbedding,
    Plan,
    PositionalEmbedding,
    Style,
    require_example,
    split_or_none,
)
from score_sde.typing import Batch, Condition, Key, PerExample


class TemporalUNet(nnx.Module):
    """Residual blocks along one axis at falling and rising resolutions, told of the noise by scale and shift.

    The halves of SongUNet (Karras et al. 2022, appendix F.1), with wider kernels and AdaGN (Dhariwal and
    Nichol 2021, section 3). Attention at the lowest resolution joins all places. An axis of any length: it
    goes on with its last value up to where it can be halved, and is cut again. ``cond`` may hold class labels
    (``n_classes``); what else is known, such as the past of a forecast, ``networks.Beside`` tells.

    Attributes:
        shape: (length, channels).
        channels: width; level i has ``channels * multipliers[i]``.
        blocks: residual blocks at each level.
        kernel: length of convolutions.
        heads: of the attention at the lowest resolution; 0: there is none.
        n_classes: number of class labels.
        label_scale: brings noise labels to the size of DDPM's, 0 .. 999.

    Raises:
        InputError: a shape of other than two numbers; no level; x not of ``shape``; a condition that it was
            not built to be told.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (32, 1),
        channels: int = 32,
        multipliers: Sequence[int] = (1, 2),
        blocks: int = 2,
        kernel: int = 5,
        heads: int = 1,
        dropout: float = 0.0,
        n_classes: int | None = None,
        label_scale: float = 1.0,
        dtype: DType = jnp.float32,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape, self.told = tuple(shape), () if n_classes is None else ("label",)
        self.missing = _missing(shape, len(multipliers))
        n_embedding = 4 * channels
        self.embedding = LabelEmbedding(
            PositionalEmbedding(channels, scale=label_scale), channels, n_embedding, n_classes,
            dtype=dtype, rngs=rngs,
        )  # fmt: skip
        plan = Plan(
            widths=tuple(channels * m for m in multipliers),
            blocks=blocks,
            attended=(len(multipliers) - 1,),
            style=Style(
                rank=1, conv=_conv(kernel), modulation=SCALE_SHIFT, dropout=dropout, rescale=2**0.5,
                dtype=dtype,
            ),
            n_embedding=n_embedding,
            rescaling=RESCALING_BLOCKS,
            heads=ConstantHeads(heads),
        )  # fmt: skip
        self.encoder = Encoder(shape[-1], channels, plan, rngs=rngs)
        self.decoder = Decoder(shape[-1], self.encoder.skips, plan, rngs=rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, length, C), (B,) -> (B, length, C), of the dtype of x; dropout only with a key."""
        require_example("TemporalUNet", x, self.shape)
        require_only(cond, *self.told, network="TemporalUNet")
        embedding = self.embedding(labels, part(cond, "label"))
        keys = split_or_none(key, self.encoder.keys + self.decoder.keys)
        longer = jnp.pad(x, [(0, 0), (0, self.missing), (0, 0)], mode="edge")
        hidden, skips = self.encoder(longer, embedding, keys)
        return self.decoder(hidden, skips, embedding, keys, x.dtype)[:, : self.shape[0]]


@functools.cache  # the same object for all networks with this kernel, which then compile once
def _conv(kernel: int) -> functools.partial[Conv]:
    if kernel < 1:
        raise InputError("TemporalUNet.kernel", kernel, "a positive length", "3 and 5 are usual")
    return functools.partial(Conv, kernel_size=kernel)


def _missing(shape: Sequence[int], levels: int) -> int:
    """Places that lack to the next length that can be halved from level to level."""
    if len(shape) != 2:
        raise InputError("TemporalUNet.shape", tuple(shape), "(length, channels)", "images: use UNet")
    if levels < 1:
        raise InputError("TemporalUNet.multipliers", (), "at least one", "(1,) keeps one resolution")
    return int(-shape[0] % 2 ** (levels - 1))
