"""Noise labels as vectors: sinusoidal positions and random Fourier features."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.typing import Array, PerExample


class PositionalEmbedding(nnx.Module):
    """[sin(w_k l), cos(w_k l)], w_k = scale * max_period^(-k / (dim/2 - 1)), k = 0 .. dim/2 - 1.

    ``labels`` (B,) -> (B, dim), float32. With ``scale=1`` and labels 0 .. 999 this is the time embedding
    of DDPM (Ho et al. 2020, appendix B, after Vaswani et al. 2017); ``scale`` brings labels of another
    range, such as log-signal-to-noise ratios, to that size. No parameters.
    """

    def __init__(self, dim: int, *, max_period: float = 10_000.0, scale: float = 1.0) -> None:
        _require_even("PositionalEmbedding.dim", dim, 4)
        self.dim, self.max_period, self.scale = dim, max_period, scale

    def __call__(self, labels: PerExample) -> Array:
        """Embed (B,) labels as (B, dim)."""
        half = self.dim // 2
        exponents = jnp.arange(half, dtype=jnp.float32) / (half - 1)
        return _waves(labels, self.scale * self.max_period**-exponents)


class FourierEmbedding(nnx.Module):
    """[sin(2 pi w_k l), cos(2 pi w_k l)] with fixed random frequencies w_k ~ N(0, scale^2).

    ``labels`` (B,) -> (B, dim), float32 (Tancik et al. 2020; Song et al. 2021, appendix C, with
    scale 16 and l = log sigma). The frequencies are an array, not an ``nnx.Param``: they are not trained.
    """

    def __init__(self, dim: int, *, scale: float = 16.0, rngs: nnx.Rngs) -> None:
        _require_even("FourierEmbedding.dim", dim, 2)
        self.frequencies = scale * jax.random.normal(rngs.params(), (dim // 2,), jnp.float32)

    def __call__(self, labels: PerExample) -> Array:
        """Embed (B,) labels as (B, dim)."""
        return _waves(labels, 2 * jnp.pi * jax.lax.stop_gradient(self.frequencies))


def _waves(labels: PerExample, frequencies: Array) -> Array:
    angles = jnp.asarray(labels, jnp.float32)[:, None] * frequencies
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=1)


def _require_even(where: str, dim: int, least: int) -> None:
    if dim < least or dim % 2:
        raise InputError(where, dim, f"an even number, at least {least}", "half of it are sines")
