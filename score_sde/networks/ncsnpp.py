"""The networks of Song et al. 2021: DDPM++ and NCSN++."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.conditions import part, require_only
from score_sde.networks.layers import (
    NAIVE,
    NO_INPUT,
    TOP_OUTPUT,
    ConstantHeads,
    Decoder,
    DType,
    Encoder,
    InputPyramid,
    OutputPyramid,
    Plan,
    PositionalEmbedding,
    Resampling,
    Rescaling,
    RescalingBlocks,
    RescalingFilters,
    RescalingResampledConvolutions,
    Style,
    attended_levels,
    label_embedding,
    require_example,
    require_shape,
    split_or_none,
)
from score_sde.typing import Array, Batch, Condition, Key, PerExample

NO_SCALE = 1e-10  # variance of weights that are published as starting at zero
Activation = Callable[[Array], Array]


class Residual(ABC):
    """A kind of residual blocks: how the resolution changes, and how convolutions on skips are drawn."""

    skip_scale = 1.0

    @abstractmethod
    def rescaling(self, resampling: Resampling) -> Rescaling:
        """The layers between resolutions."""


@dataclasses.dataclass(frozen=True)
class BigGAN(Residual):
    """Residual blocks change the resolution, and have a convolution on the skip then."""

    def rescaling(self, resampling: Resampling) -> Rescaling:
        """Blocks."""
        return RescalingBlocks(resampling, skip_size=1)


@dataclasses.dataclass(frozen=True)
class DDPMFilters(Residual):
    """DDPM's blocks, and between resolutions the filter alone."""

    skip_scale = 0.1

    def rescaling(self, resampling: Resampling) -> Rescaling:
        """Filters."""
        return RescalingFilters(resampling)


@dataclasses.dataclass(frozen=True)
class DDPMConvolutions(Residual):
    """DDPM's blocks, and between resolutions convolutions together with the filter."""

    skip_scale = 0.1

    def rescaling(self, resampling: Resampling) -> Rescaling:
        """Convolutions."""
        return RescalingResampledConvolutions(resampling)


BIGGAN = BigGAN()


class NCSNpp(nnx.Module):
    """The U-Net of Song et al. 2021 (appendix H): DDPM++ by default, and NCSN++.

    NCSN++: ``resampling=FIR()``, ``progressive_input=InputResidual()``, and for the continuous VE SDE
    ``embedding=SigmaEmbedding``; from 256 pixels on ``progressive=OutputSkip()`` and
    ``progressive_input=InputSkip()``. Attention has one head; going up it follows the last block of a level
    only. The output is not divided by sigma: that belongs to the preconditioning. ``cond`` may hold class
    labels, where ``n_classes`` itself and no label mean "no class".

    Attributes:
        channels: width of the first convolution; level i has ``channels * multipliers[i]``.
        blocks: residual blocks at each level.
        attention_resolutions: sizes of the first axis at which blocks are followed by attention.
        embedding: ``embedding(channels, rngs=rngs)`` makes the embedding of noise labels,
            ``PositionalEmbedding`` or ``SigmaEmbedding``; None: the network is not told the noise.
        residual: ``BigGAN()``, ``DDPMFilters()`` or ``DDPMConvolutions()``.
        resampling: the filter, ``Naive()`` or ``FIR()``.
        progressive_input: what lower levels are told of the image: ``NoInput()``, ``InputSkip()`` (which
            adds or concatenates) or ``InputResidual()``.
        progressive: which levels give an image: ``TopOutput()``, ``OutputSkip()`` or ``OutputResidual()``.
        act: the nonlinearity.
        rescale: what each residual sum is divided by; 1: no rescaling.
        init_scale: variance of the last weights of each branch, of the order of 1; published as 0, meaning
            1e-10.
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
        blocks: int = 4,
        attention_resolutions: Sequence[int] = (16,),
        dropout: float = 0.1,
        n_classes: int | None = None,
        embedding: Callable[..., Any] | None = PositionalEmbedding,
        residual: Residual = BIGGAN,
        resampling: Resampling = NAIVE,
        progressive_input: InputPyramid = NO_INPUT,
        progressive: OutputPyramid = TOP_OUTPUT,
        act: Activation = jax.nn.silu,
        rescale: float = 2**0.5,
        init_scale: float = NO_SCALE,
        input_scale: float = 1.0,
        input_shift: float = 0.0,
        dtype: DType = jnp.float32,
        remat: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape = require_shape("NCSNpp", shape, len(multipliers))
        self.input_scale, self.input_shift = input_scale, input_shift
        style = Style(
            rank=len(shape) - 1, act=act, dropout=dropout, rescale=rescale, last_scale=init_scale,
            skip_scale=residual.skip_scale, dtype=dtype, remat=remat,
        )  # fmt: skip
        plan = Plan(
            widths=tuple(channels * m for m in multipliers),
            blocks=blocks,
            attended=attended_levels(shape[0], len(multipliers), attention_resolutions),
            style=style,
            n_embedding=0 if embedding is None else 4 * channels,
            rescaling=residual.rescaling(resampling),
            heads=ConstantHeads(1),
            attention_scale=0.2,  # of q, k and v as one product: a tenth for each of the published three
            resampling=resampling,
        )
        self.mapping = label_embedding(embedding, channels, n_classes, act=act, dtype=dtype, rngs=rngs)
        self.encoder = Encoder(shape[-1], channels, plan, progressive_input, rngs=rngs)
        last = blocks  # the index of the last block of a level going up
        self.decoder = Decoder(
            shape[-1], self.encoder.skips, plan, progressive, lambda index: index == last, rngs=rngs
        )

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *shape), of the dtype of x; dropout only with a key."""
        require_example("NCSNpp", x, self.shape)
        require_only(cond, *(() if self.mapping is None else ("label",)), network="NCSNpp")
        embedding = None if self.mapping is None else self.mapping(labels, part(cond, "label"))
        keys = split_or_none(key, self.encoder.keys + self.decoder.keys)
        hidden, skips = self.encoder(self.input_scale * x + self.input_shift, embedding, keys)
        return self.decoder(hidden, skips, embedding, keys, x.dtype)
