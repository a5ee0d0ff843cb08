"""Normalisation of each channel over space, as the networks of Song and Ermon use it.

All are made as ``norm(channels, rngs=rngs)`` and called ``norm(x, labels)``; ``labels`` are asked by
``LevelNormPlus`` alone.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.norms import GroupNorm
from score_sde.typing import Array, Key, PerExample


class InstanceNorm(GroupNorm):
    """(x - mean) / sqrt(variance + eps) * scale + bias, each channel by itself."""

    def __init__(self, channels: int, *, eps: float = 1e-5, rngs: nnx.Rngs | None = None) -> None:
        del rngs  # nothing is drawn
        super().__init__(channels, groups=channels, eps=eps)

    def __call__(self, x: Array, labels: PerExample | None = None) -> Array:
        """(B, *space, channels) -> the same."""
        return super().__call__(x)


class VarianceNorm(nnx.Module):
    """x / sqrt(variance over space + eps) * scale; the mean stays.

    ``ddof`` = 1 divides sums of squares by one less than the number of pixels, as PyTorch does.
    """

    def __init__(self, channels: int, *, ddof: int = 0, eps: float = 1e-5, rngs: nnx.Rngs) -> None:
        self.scale = nnx.Param(_near_one(rngs.params(), (channels,)))
        self.ddof, self.eps = ddof, eps

    def __call__(self, x: Array, labels: PerExample | None = None) -> Array:
        """(B, *space, channels) -> the same."""
        wide, space = _wide(x), tuple(range(1, x.ndim - 1))
        variance = jnp.var(wide, axis=space, keepdims=True, ddof=self.ddof)
        return (wide * (jax.lax.rsqrt(variance + self.eps) * self.scale[...])).astype(x.dtype)


class InstanceNormPlus(nnx.Module):
    """gamma (instance norm of x + alpha m) + beta, InstanceNorm++ (Song and Ermon 2019, appendix A.1).

    m are the means over space, normalised over the channels of an example: it keeps what instance
    normalisation loses. ``ddof`` = 1 divides the sum of squares of m by one less than the number of
    channels, as PyTorch does (the authors' PyTorch code; their JAX code has 0).
    """

    def __init__(self, channels: int, *, ddof: int = 0, eps: float = 1e-5, rngs: nnx.Rngs) -> None:
        self.alpha = nnx.Param(_near_one(rngs.params(), (channels,)))
        self.gamma = nnx.Param(_near_one(rngs.params(), (channels,)))
        self.beta = nnx.Param(jnp.zeros(channels, jnp.float32))
        self.ddof, self.eps = ddof, eps

    def __call__(self, x: Array, labels: PerExample | None = None) -> Array:
        """(B, *space, channels) -> the same."""
        return _plus(x, self.gamma[...], self.alpha[...], self.beta[...], self.ddof, self.eps)


class LevelNormPlus(nnx.Module):
    """``InstanceNormPlus`` with gamma, alpha and beta of each noise level (Song and Ermon 2019).

    ``labels`` are numbers of levels, 0 .. n_levels - 1, rounded; those outside are the nearest level.
    """

    def __init__(
        self, channels: int, n_levels: int, *, ddof: int = 0, eps: float = 1e-5, rngs: nnx.Rngs
    ) -> None:
        drawn = _near_one(rngs.params(), (n_levels, 2 * channels))
        self.table = nnx.Param(jnp.concatenate([drawn, jnp.zeros((n_levels, channels), jnp.float32)], axis=1))
        self.ddof, self.eps = ddof, eps

    def __call__(self, x: Array, labels: PerExample) -> Array:
        """(B, *space, channels), (B,) -> the same."""
        rows = jnp.take(self.table[...], jnp.round(labels).astype(jnp.int32), axis=0, mode="clip")
        rows = rows.reshape(len(rows), *(1,) * (x.ndim - 2), -1)
        gamma, alpha, beta = jnp.split(rows, 3, axis=-1)
        return _plus(x, gamma, alpha, beta, self.ddof, self.eps)


def _plus(x: Array, gamma: Array, alpha: Array, beta: Array, ddof: int, eps: float) -> Array:
    wide, space = _wide(x), tuple(range(1, x.ndim - 1))
    means = jnp.mean(wide, axis=space, keepdims=True)
    variance = jnp.mean(jnp.square(wide - means), axis=space, keepdims=True)
    spread = jnp.var(means, axis=-1, keepdims=True, ddof=ddof)
    kept = (means - jnp.mean(means, axis=-1, keepdims=True)) * jax.lax.rsqrt(spread + eps)
    gain = gamma * jax.lax.rsqrt(variance + eps)
    return ((wide - means) * gain + (gamma * alpha * kept + beta)).astype(x.dtype)


def _near_one(key: Key, shape: tuple[int, ...]) -> Array:
    return 1 + 0.02 * jax.random.normal(key, shape, jnp.float32)


def _wide(x: Array) -> Array:
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))
