"""Convolutions over one or two axes of space, zero padded ("same")."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.initializers import BiasInit, Init, uniform_init, zero_bias_init
from score_sde.networks.layers.linear import DType, computed
from score_sde.typing import Array


class Conv(nnx.Module):
    """Convolution over ``rank`` axes, zero padded ("same"), kernel (*(kernel_size,) * rank, n_in, n_out).

    A 1x1 kernel without stride is computed as a matrix product, which is several times faster on CPU.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel_size: int = 3,
        *,
        rank: int = 2,
        stride: int = 1,
        dilation: int = 1,
        init_scale: float = 1.0,
        init: Init = uniform_init,
        bias_init: BiasInit | None = zero_bias_init,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        shape = (*(kernel_size,) * rank, n_in, n_out)
        self.kernel = nnx.Param(init(rngs.params(), shape, init_scale))
        self.bias = None if bias_init is None else nnx.Param(bias_init(rngs.params(), shape))
        self.stride, self.dilation, self.dtype = stride, dilation, dtype

    def __call__(self, x: Array) -> Array:
        """(B, *space, n_in) -> (B, *space / stride, n_out)."""
        kernel, x = computed(self.kernel[...], self.dtype), computed(x, self.dtype)
        y = convolve(x, kernel, self.stride, self.dilation)
        return y if self.bias is None else y + computed(self.bias[...], self.dtype)


def convolve(
    x: Array, kernel: Array, stride: int = 1, dilation: int = 1, padding: int | None = None
) -> Array:
    """Convolution of (B, *space, n_in) with (*field, n_in, n_out): the one place that says how.

    Padded with k - 1 - (k - 1) // 2 zeros before and (k - 1) // 2 after where the stride is 1, and as many
    on both sides, k // 2, where it is not, so that strided layers see what PyTorch's do; or with ``padding``
    zeros on both sides of every axis.

    No rule of its own for gradients: outside of loops the library's are the fastest at these sizes, and a
    custom rule would forbid forward-mode differentiation, which likelihoods use. Inside ``lax.scan`` XLA's
    CPU backend makes the gradient to the kernel twenty times slower and more: train outside of loops there.
    """
    wide = jnp.promote_types(x.dtype, kernel.dtype)  # as a product of matrices does by itself
    x, kernel, field = x.astype(wide), kernel.astype(wide), kernel.shape[:-2]
    if set(field) == {1} and stride == 1:
        return x @ kernel.reshape(kernel.shape[-2:])
    layout = ("NWC", "WIO", "NWC") if len(field) == 1 else ("NHWC", "HWIO", "NHWC")
    reach = [dilation * (k - 1) for k in field]
    same = [(k - k // 2, k // 2) if stride == 1 else (k // 2, k // 2) for k in reach]
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride,) * len(field),
        same if padding is None else [(padding, padding)] * len(field),
        rhs_dilation=(dilation,) * len(field),
        dimension_numbers=layout,
    )
