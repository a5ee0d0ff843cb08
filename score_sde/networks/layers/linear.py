"""Matrix products over the channels."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.initializers import BiasInit, Init, uniform_init, zero_bias_init
from score_sde.typing import Array

DType = jax.typing.DTypeLike


class Linear(nnx.Module):
    """x W + b over the last axis, W (n_in, n_out). A 1x1 convolution is this."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        init_scale: float = 1.0,
        init: Init = uniform_init,
        bias_init: BiasInit | None = zero_bias_init,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        self.kernel = nnx.Param(init(rngs.params(), (n_in, n_out), init_scale))
        self.bias = None if bias_init is None else nnx.Param(bias_init(rngs.params(), (n_in, n_out)))
        self.dtype = dtype

    def __call__(self, x: Array, gain: float = 1.0) -> Array:
        """(..., n_in) -> (..., n_out); gain x and ``gain`` give gain times the same."""
        product = computed(x, self.dtype) @ computed(self.kernel[...], self.dtype)
        return product if self.bias is None else product + computed(gain * self.bias[...], self.dtype)


def computed(x: Array, dtype: DType) -> Array:
    """``x`` in the type that a layer computes in; float32 means "as it comes", so that float64 stays."""
    return x if jnp.dtype(dtype) == jnp.float32 else x.astype(dtype)
