"""Normalisation of each token by itself."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.typing import Array


class Standardize(nnx.Module):
    """(x - mean) / sqrt(variance + eps) over the channels, without parameters: adaptive ones come after it.

    Statistics in float32 whatever the dtype of x.
    """

    def __init__(self, width: int, *, eps: float = 1e-6) -> None:
        del width
        self.eps = eps

    def __call__(self, x: Array) -> Array:
        """(..., width) -> the same."""
        wide = _wide(x)
        centred = wide - jnp.mean(wide, axis=-1, keepdims=True)
        variance = jnp.mean(jnp.square(centred), axis=-1, keepdims=True)
        return (centred * jax.lax.rsqrt(variance + self.eps)).astype(x.dtype)


class LayerNorm(Standardize):
    """``Standardize``, then a learnt scale and bias for each channel (Ba et al. 2016)."""

    def __init__(self, width: int, *, eps: float = 1e-5) -> None:
        super().__init__(width, eps=eps)
        self.scale = nnx.Param(jnp.ones(width, jnp.float32))
        self.bias = nnx.Param(jnp.zeros(width, jnp.float32))

    def __call__(self, x: Array) -> Array:
        """(..., width) -> the same."""
        return super().__call__(x) * self.scale[...].astype(x.dtype) + self.bias[...].astype(x.dtype)


class RMSNorm(nnx.Module):
    """x / sqrt(mean x^2 + eps) and a learnt scale (Zhang and Sennrich 2019); statistics in float32."""

    def __init__(self, width: int, *, eps: float = 1e-6) -> None:
        self.scale = nnx.Param(jnp.ones(width, jnp.float32))
        self.eps = eps

    def __call__(self, x: Array) -> Array:
        """(..., width) -> the same."""
        wide = _wide(x)
        power = jnp.mean(jnp.square(wide), axis=-1, keepdims=True)
        return (wide * jax.lax.rsqrt(power + self.eps)).astype(x.dtype) * self.scale[...].astype(x.dtype)


def _wide(x: Array) -> Array:
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))
