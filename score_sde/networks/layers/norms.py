"""Normalisation over space and groups of channels."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.typing import Array


class GroupNorm(nnx.Module):
    """(x - mean) / sqrt(variance + eps) * scale + bias, over space and the channels of a group.

    Statistics in float32 whatever the dtype of x (Wu and He 2018). ``groups=None``: the published
    default of the score networks, min(channels / 4, 32).
    """

    def __init__(self, channels: int, *, groups: int | None = None, eps: float = 1e-6) -> None:
        self.groups = min(max(channels // 4, 1), 32) if groups is None else groups
        if channels % self.groups:
            raise InputError("GroupNorm.groups", self.groups, f"a divisor of channels = {channels}")
        self.scale = nnx.Param(jnp.ones(channels, jnp.float32))
        self.bias = nnx.Param(jnp.zeros(channels, jnp.float32))
        self.eps = eps

    def __call__(self, x: Array) -> Array:
        """(B, ..., channels) -> the same."""
        return self.modulated(x, None, None)

    def modulated(self, x: Array, scale: Array | None, shift: Array | None) -> Array:
        """norm(x) (1 + scale) + shift with (B, channels) each: the form that depends on an embedding."""
        pixels = x.astype(jnp.promote_types(x.dtype, jnp.float32)).reshape(x.shape[0], -1, x.shape[-1])
        gain, offset = self.scale[...], self.bias[...]
        if scale is not None and shift is not None:
            gain, offset = gain * (1 + scale), offset * (1 + scale) + shift
        return _normalised(pixels, gain, offset, self.groups, self.eps).reshape(x.shape).astype(x.dtype)


@functools.partial(jax.custom_jvp, nondiff_argnums=(3, 4))
def _normalised(x: Array, gain: Array, offset: Array, groups: int, eps: float) -> Array:
    """(x - mean) / sqrt(variance + eps) * gain + offset of (B, pixels, C), and (C,) or (B, C) twice."""
    mean, variance = _moments(x, groups)
    slope = jax.lax.rsqrt(variance + eps) * gain
    return x * slope[:, None] + (offset - mean * slope)[:, None]


@_normalised.defjvp
def _normalised_derivative(groups: int, eps: float, primals: Any, tangents: Any) -> tuple[Array, Array]:
    """Written out for the order of its terms: the last sum of the gradient to x is of two arrays as large.

    That of the library's own rule ends with the mean's part, one number a channel; XLA's CPU backend takes
    such a sum for a trifle and computes it anew, with all that is before it, wherever it is read.
    """
    (x, gain, offset), (dx, dgain, doffset) = primals, tangents
    mean, variance = _moments(x, groups)
    slope, centred = jax.lax.rsqrt(variance + eps) * gain, x - mean[:, None]
    direct = dx * slope[:, None]
    dmean = _group_mean(jnp.mean(dx, axis=1), groups)
    dvariance = _group_mean(jnp.mean(2 * centred * dx, axis=1), groups)
    dslope = jax.lax.rsqrt(variance + eps) * dgain - slope * dvariance / (2 * (variance + eps))
    y = x * slope[:, None] + (offset - mean * slope)[:, None]
    return y, direct + (centred * dslope[:, None] + (doffset - dmean * slope)[:, None])


def _moments(x: Array, groups: int) -> tuple[Array, Array]:
    """Means and variances of groups, (B, C) each."""
    mean = _group_mean(jnp.mean(x, axis=1), groups)
    return mean, _group_mean(jnp.mean(jnp.square(x - mean[:, None]), axis=1), groups)


def _group_mean(means: Array, groups: int) -> Array:
    # Space first, then the few channels of a group: the long sum runs over contiguous vectors.
    parts = means.reshape(means.shape[0], groups, -1)
    return jnp.broadcast_to(jnp.mean(parts, axis=2, keepdims=True), parts.shape).reshape(means.shape)
