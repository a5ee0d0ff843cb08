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
        y = self.product(computed(x, self.dtype), computed(self.kernel[...], self.dtype))
        return y if self.bias is None else y + computed(gain * self.bias[...], self.dtype)

    def product(self, x: Array, kernel: Array) -> Array:
        """The convolution itself, zero padded."""
        return convolve(x, kernel, self.stride, self.dilation)


class WrappingConv(Conv):
    """The same on a ring or a torus: each axis goes on at its beginning."""

    def product(self, x: Array, kernel: Array) -> Array:
        """The convolution itself, padded with the other end of each axis."""
        reach = [self.dilation * (size - 1) for size in kernel.shape[:-2]]
        sides = [(0, 0), *((n - n // 2, n // 2) for n in reach), (0, 0)]
        return convolve(jnp.pad(x, sides, mode="wrap"), kernel, self.stride, self.dilation, padding=0)
