"""The convolution that networks take, padded as they want it."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.networks.layers.conv_primitives import Window, convolution
from score_sde.typing import Array


def convolve(
    x: Array, kernel: Array, stride: int = 1, dilation: int = 1, padding: int | None = None
) -> Array:
    """Convolution of (B, *space, n_in) with (*field, n_in, n_out).

    Padded with k - 1 - (k - 1) // 2 zeros before and (k - 1) // 2 after where the stride is 1, and as many
    on both sides, k // 2, where it is not, so that strided layers see what PyTorch's do; or with ``padding``
    zeros on both sides of every axis.

    A kernel of one pixel is a product of matrices. Every mode of differentiation, and of any order, works.
    """
    wide = jnp.promote_types(x.dtype, kernel.dtype)  # as a product of matrices does by itself
    x, kernel, field = x.astype(wide), kernel.astype(wide), kernel.shape[:-2]
    if set(field) == {1} and stride == 1:
        return x @ kernel.reshape(kernel.shape[-2:])
    reach = [dilation * (k - 1) for k in field]
    same = [(k - k // 2, k // 2) if stride == 1 else (k // 2, k // 2) for k in reach]
    padded = same if padding is None else [(padding, padding)] * len(field)
    return convolution(x, kernel, Window(stride, dilation, tuple(padded)))
