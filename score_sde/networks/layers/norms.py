"""Normalisation over space and groups of channels."""

from __future__ import annotations

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
        mean = self._group_mean(jnp.mean(pixels, axis=1))
        variance = self._group_mean(jnp.mean(jnp.square(pixels - mean[:, None]), axis=1))
        gain = jax.lax.rsqrt(variance + self.eps) * self.scale[...]
        offset = self.bias[...] - mean * gain
        if scale is not None and shift is not None:
            gain, offset = gain * (1 + scale), offset * (1 + scale) + shift
        return (pixels * gain[:, None] + offset[:, None]).reshape(x.shape).astype(x.dtype)

    def _group_mean(self, means: Array) -> Array:
        # Space first, then the few channels of a group: the long sum runs over contiguous vectors.
        groups = means.reshape(means.shape[0], self.groups, -1)
        return jnp.broadcast_to(jnp.mean(groups, axis=2, keepdims=True), groups.shape).reshape(means.shape)
