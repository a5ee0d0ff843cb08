"""What a transformer does to each token by itself."""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.initializers import Init, uniform_init
from score_sde.networks.layers.linear import DType, Linear
from score_sde.typing import Array

tanh_gelu = functools.partial(jax.nn.gelu, approximate=True)
exact_gelu = functools.partial(jax.nn.gelu, approximate=False)


class FeedForward(nnx.Module):
    """W_2 act(W_1 x) with ``ratio`` times as many channels in between (Vaswani et al. 2017).

    The backward pass keeps W_1 x and its act, and computes what is between them again.
    """

    def __init__(
        self,
        width: int,
        *,
        ratio: float = 4.0,
        act: Callable[[Array], Array] = tanh_gelu,
        init: Init = uniform_init,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        hidden, self.act = int(width * ratio), act
        self.rise = Linear(width, hidden, init=init, dtype=dtype, rngs=rngs)
        self.fall = Linear(hidden, width, init=init, dtype=dtype, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """(..., width) -> the same."""
        return self.fall(jax.checkpoint(self.act)(self.rise(x)))


class SwiGLU(nnx.Module):
    """W_3 (silu(W_1 x) * W_2 x), without biases (Shazeer 2020).

    2/3 of ``ratio`` times as many channels in between: as many parameters as ``FeedForward``.
    """

    def __init__(
        self,
        width: int,
        *,
        ratio: float = 4.0,
        init: Init = uniform_init,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        hidden = int(2 * width * ratio / 3)
        self.rise = Linear(width, 2 * hidden, init=init, bias_init=None, dtype=dtype, rngs=rngs)
        self.fall = Linear(hidden, width, init=init, bias_init=None, dtype=dtype, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """(..., width) -> the same."""
        gate, value = jnp.split(self.rise(x), 2, axis=-1)
        return self.fall(jax.nn.silu(gate) * value)
