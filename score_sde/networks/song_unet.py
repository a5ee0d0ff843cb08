"""EDM's form of the DDPM++ and NCSN++ networks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.conditions import part, require_only
from score_sde.networks.layers import (
    NO_INPUT,
    PLAIN_RESAMPLING,
    TOP_OUTPUT,
    ClassTable,
    ConstantHeads,
    Conv,
    Decoder,
    DType,
    Encoder,
    InputPyramid,
    Linear,
    Mapping,
    OutputPyramid,
    Plan,
    PositionalEmbedding,
    Resampling,
    RescalingBlocks,
    Style,
    attended_levels,
    require_example,
    require_shape,
    split_or_none,
    uniform_init,
    zero_bias_init,
)
from score_sde.networks.layers.embeddings import stepwise_powers
from score_sde.typing import Array, Batch, Condition, Key, PerExample

POSITIONS = functools.partial(PositionalEmbedding, frequencies=stepwise_powers)
START = 1e-10  # scale of the last weights of each branch, as variance: 1e-5 as in the published code


class SongUNet(nnx.Module):
    """The U-Net of Karras et al. 2022 (appendix F.1, table 7) after Song et al. 2021.

    DDPM++: the defaults. NCSN++: ``embedding=FourierEmbedding``, ``noise_multiplier=2``,
    ``encoder=InputResidual()``, ``resampling=FIR()``. Residual sums are divided by sqrt(2); attention has
    one head, and going up follows the last block of a level only. ``cond`` may hold class labels
    (``n_classes``) and augmentation labels (``augment_dim``); without them it is told zeros.

    Attributes:
        channels: width of the first convolution; level i has ``channels * multipliers[i]``.
        blocks: residual blocks at each level.
        attention_resolutions: sizes of the first axis at which blocks are followed by attention.
        embedding: ``embedding(dim, rngs=rngs)`` makes the embedding of noise labels.
        noise_multiplier: features of that embedding per channel.
        embedding_multiplier: features of what blocks are told, per channel.
        encoder: what lower levels are told of the image: ``NoInput``, ``InputSkip``, ``InputResidual``.
        decoder: which levels give an image: ``TopOutput`` or ``OutputSkip``.
        resampling: the filter, ``Plain()`` or ``FIR()``.
        conv: makes convolutions; ``layers.WrappingConv`` for fields on a ring or a torus, with which the
            network knows no place (but with one level, or shifts by whole pixels of the lowest).
        outputs: values per channel of x; 2 where the network learns variances too.

    Raises:
        InputError: an axis that cannot be halved so often; x not of ``shape``; a condition it was not
            built to be told.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (32, 32, 3),
        channels: int = 128,
        multipliers: Sequence[int] = (1, 2, 2, 2),
        blocks: int = 4,
        attention_resolutions: Sequence[int] = (16,),
        dropout: float = 0.1,
        n_classes: int | None = None,
        augment_dim: int | None = None,
        embedding: Callable[..., Any] = POSITIONS,
        noise_multiplier: int = 1,
        embedding_multiplier: int = 4,
        encoder: InputPyramid = NO_INPUT,
        decoder: OutputPyramid = TOP_OUTPUT,
        resampling: Resampling = PLAIN_RESAMPLING,
        conv: Callable[..., Conv] = Conv,
        outputs: int = 1,
        dtype: DType = jnp.float32,
        remat: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape = require_shape("SongUNet", shape, len(multipliers))
        style = Style(
            rank=len(shape) - 1, conv=conv, dropout=dropout, rescale=2**0.5, last_scale=START, dtype=dtype,
            remat=remat,
        )  # fmt: skip
        n_embedding = channels * embedding_multiplier
        plan = Plan(
            widths=tuple(channels * m for m in multipliers),
            blocks=blocks,
            attended=attended_levels(shape[0], len(multipliers), attention_resolutions),
            style=style,
            n_embedding=n_embedding,
            rescaling=RescalingBlocks(resampling, skip_size=1),
            heads=ConstantHeads(1),
            attention_init=attention_init,
            resampling=resampling,
        )
        self.mapping = _mapping(
            channels * noise_multiplier, n_embedding, n_classes, augment_dim, embedding, rngs
        )
        self.encoder = Encoder(shape[-1], channels, plan, encoder, rngs=rngs)
        last = blocks  # the index of the last block of a level going up
        self.decoder = Decoder(
            outputs * shape[-1], self.encoder.skips, plan, decoder, lambda index: index == last, rngs=rngs
        )

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *space, outputs * C), of the dtype of x; dropout only with a key."""
        require_example("SongUNet", x, self.shape)
        require_only(cond, *self.mapping.told, network="SongUNet")
        embedding = self.mapping(labels, part(cond, "label"), part(cond, "augment"))
        keys = split_or_none(key, self.encoder.keys + self.decoder.keys)
        hidden, skips = self.encoder(x, embedding, keys)
        return self.decoder(hidden, skips, embedding, keys, x.dtype)


def attention_init(key: Key, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """Uniform with a fifth of the variance: q, k and v of the published network."""
    return uniform_init(key, shape, 0.2 * scale)


def _mapping(
    n_features: int,
    n_out: int,
    n_classes: int | None,
    augment_dim: int | None,
    embedding: Callable[..., Any],
    rngs: nnx.Rngs,
) -> Mapping:
    """The published layer of classes is told sqrt(n_classes) for each: here that is part of its rows."""
    classes = augment = None
    if n_classes is not None:
        drawn: dict[str, Any] = {"init": uniform_init, "init_scale": n_classes, "bias_init": zero_bias_init}
        classes = ClassTable(n_classes, n_features, **drawn, rngs=rngs)
    if augment_dim is not None:
        augment = Linear(augment_dim, n_features, bias_init=None, rngs=rngs)
    return Mapping(
        embedding(n_features, rngs=rngs), n_features, n_out, first=classes, augment=augment,
        act=jax.nn.silu, rngs=rngs,
    )  # fmt: skip
