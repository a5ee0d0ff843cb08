"""Halving and doubling the resolution of images (B, H, W, C)."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.typing import Array


def average_pool(x: Array, factor: int = 2) -> Array:
    """Mean over blocks of factor x factor pixels: (B, H, W, C) -> (B, H/factor, W/factor, C)."""
    batch, height, width, channels = x.shape
    blocks = x.reshape(batch, height // factor, factor, width // factor, factor, channels)
    return jnp.mean(blocks, axis=(2, 4))


def nearest_upsample(x: Array, factor: int = 2) -> Array:
    """Repeat each pixel factor x factor times: (B, H, W, C) -> (B, H factor, W factor, C)."""
    batch, height, width, channels = x.shape
    blocks = jnp.broadcast_to(x[:, :, None, :, None, :], (batch, height, factor, width, factor, channels))
    return blocks.reshape(batch, height * factor, width * factor, channels)
