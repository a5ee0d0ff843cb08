"""Convolutions over one or two axes of space, zero padded ("same")."""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.convolving import convolve
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

    def __call__(self, x: Array, gain: float = 1.0) -> Array:
        """(B, *space, n_in) -> (B, *space / stride, n_out); gain x and ``gain`` give gain times the same."""
        kernel, x = computed(self.kernel[...], self.dtype), computed(x, self.dtype)
        y = convolve(x, kernel, self.stride, self.dilation)
        return y if self.bias is None else y + computed(gain * self.bias[...], self.dtype)
