"""The autoencoder of latent diffusion."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers import (
    Conv,
    DType,
    GroupNorm,
    ResidualBlock,
    SelfAttention,
    Style,
    convolve,
    nearest_upsample,
    require_example,
    require_shape,
)
from score_sde.typing import Array, Batch, Key

LOWEST, HIGHEST = -30.0, 20.0  # log variances are cut to these


class Posterior(NamedTuple):
    """q(z | x) = N(mean, exp(log_variance)), both (B, *space, latent channels)."""

    mean: Array
    log_variance: Array

    def sample(self, key: Key) -> Array:
        """A draw."""
        return self.mean + jnp.exp(0.5 * self.log_variance) * jax.random.normal(
            key, self.mean.shape, self.mean.dtype
        )


class AutoencoderKL(nnx.Module):
    """Encoder and decoder of Rombach et al. 2022, "AutoencoderKL" of Stable Diffusion, DiT and SiT.

    Residual blocks at falling resolutions, the attention of one head between the last two; the decoder
    mirrors it with one block more a level. Three halvings in the released ones: 256 pixels become 32.
    ``encode`` gives the law of z, ``decode`` takes z; neither knows the scale factor, which belongs to the
    units of the latents (``data.LatentUnits``).

    Attributes:
        channels: level i has ``channels * multipliers[i]``.
        latent: channels of z.
        groups: of norms, a divisor of all channels.

    Raises:
        InputError: an axis that cannot be halved so often; x not of ``shape``.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (256, 256, 3),
        channels: int = 128,
        multipliers: Sequence[float] = (1, 2, 4, 4),
        blocks: int = 2,
        latent: int = 4,
        groups: int = 32,
        dtype: DType = jnp.float32,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape = require_shape("AutoencoderKL", shape, len(multipliers))
        norm = functools.partial(GroupNorm, groups=groups, eps=1e-6)
        style = Style(norm=norm, last_scale=1.0, dtype=dtype, rank=len(shape) - 1)
        widths = tuple(int(channels * m) for m in multipliers)
        self.encoder = KLEncoder(shape[-1], 2 * latent, widths, blocks, style, rngs=rngs)
        self.decoder = KLDecoder(latent, shape[-1], widths, blocks + 1, style, rngs=rngs)
        self.moments = Conv(2 * latent, 2 * latent, 1, rank=style.rank, dtype=dtype, rngs=rngs)
        self.entry = Conv(latent, latent, 1, rank=style.rank, dtype=dtype, rngs=rngs)

    def encode(self, x: Batch) -> Posterior:
        """(B, *shape) in [-1, 1] -> the law of z, (B, *space / 2^levels, latent)."""
        require_example("AutoencoderKL", x, self.shape)
        mean, log_variance = jnp.split(self.moments(self.encoder(x)).astype(x.dtype), 2, axis=-1)
        return Posterior(mean, jnp.clip(log_variance, LOWEST, HIGHEST))

    def decode(self, z: Batch) -> Batch:
        """z -> (B, *shape), about [-1, 1]."""
        return self.decoder(self.entry(z)).astype(z.dtype)

    def __call__(self, x: Batch, *, key: Key | None = None) -> tuple[Posterior, Batch]:
        """The law of z, and the decoder's image of a draw of it, or of its mean without a key."""
        posterior = self.encode(x)
        return posterior, self.decode(posterior.mean if key is None else posterior.sample(key))


class KLEncoder(nnx.Module):
    """Blocks and halvings, then the middle and the last convolution."""

    def __init__(
        self, n_in: int, n_out: int, widths: Sequence[int], blocks: int, style: Style, *, rngs: nnx.Rngs
    ) -> None:
        drawn: dict[str, Any] = {"rank": style.rank, "dtype": style.dtype, "rngs": rngs}
        self.first = Conv(n_in, widths[0], **drawn)
        levels, before = [], widths[0]
        for i, width in enumerate(widths):
            halving = Conv(width, width, stride=2, **drawn) if i + 1 < len(widths) else None
            levels.append(KLLevel(before, width, blocks, halving, style, rngs=rngs))
            before = width
        self.levels = nnx.List(levels)
        self.middle = KLMiddle(before, style, rngs=rngs)
        self.norm, self.last = style.norm(before), Conv(before, n_out, **drawn)

    def __call__(self, x: Array) -> Array:
        """(B, *space, n_in) -> (B, *space / 2^(levels - 1), n_out)."""
        x = self.first(x)
        for level in self.levels:
            x = level(x)
            if level.rescale is not None:
                x = _halved(x, level.rescale)
        return self.last(jax.nn.silu(self.norm(self.middle(x))))


class KLDecoder(nnx.Module):
    """The middle, then blocks and doublings."""

    def __init__(
        self, n_in: int, n_out: int, widths: Sequence[int], blocks: int, style: Style, *, rngs: nnx.Rngs
    ) -> None:
        drawn: dict[str, Any] = {"rank": style.rank, "dtype": style.dtype, "rngs": rngs}
        before = widths[-1]
        self.first = Conv(n_in, before, **drawn)
        self.middle = KLMiddle(before, style, rngs=rngs)
        levels = []
        for i, width in enumerate(reversed(widths)):
            doubling = Conv(width, width, **drawn) if i + 1 < len(widths) else None
            levels.append(KLLevel(before, width, blocks, doubling, style, rngs=rngs))
            before = width
        self.levels = nnx.List(levels)
        self.norm, self.last = style.norm(before), Conv(before, n_out, **drawn)

    def __call__(self, z: Array) -> Array:
        """(B, *space, n_in) -> (B, *space 2^(levels - 1), n_out)."""
        x = self.middle(self.first(z))
        for level in self.levels:
            x = level(x)
            if level.rescale is not None:
                x = level.rescale(nearest_upsample(x))
        return self.last(jax.nn.silu(self.norm(x)))


class KLLevel(nnx.Module):
    """Residual blocks of one resolution, and the convolution that leads to the next."""

    def __init__(
        self, n_in: int, n_out: int, blocks: int, rescale: Conv | None, style: Style, *, rngs: nnx.Rngs
    ) -> None:
        widths = [n_in, *(n_out for _ in range(blocks))]
        self.blocks = nnx.List(
            [ResidualBlock(a, b, None, style, rngs=rngs) for a, b in itertools.pairwise(widths)]
        )
        self.rescale = rescale

    def __call__(self, x: Array) -> Array:
        """(B, *space, n_in) -> (B, *space, n_out)."""
        for block in self.blocks:
            x = block(x)
        return x


class KLMiddle(nnx.Module):
    """A residual block, attention of one head, a residual block."""

    def __init__(self, width: int, style: Style, *, rngs: nnx.Rngs) -> None:
        self.before, self.after = (ResidualBlock(width, width, None, style, rngs=rngs) for _ in range(2))
        self.attention = SelfAttention(width, norm=style.norm, init_scale=1.0, dtype=style.dtype, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """(B, *space, width) -> the same."""
        return self.after(self.attention(self.before(x)))


def _halved(x: Array, conv: Conv) -> Array:
    """The strided convolution, padded with one zero after each axis and none before, as theirs is."""
    padded = jnp.pad(x, ((0, 0), *((0, 1),) * (x.ndim - 2), (0, 0)))
    y = convolve(padded, conv.kernel[...].astype(x.dtype), stride=2, padding=0)
    return y if conv.bias is None else y + conv.bias[...].astype(x.dtype)
