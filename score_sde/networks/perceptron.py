"""A multilayer perceptron that is told no time: from an example to a few numbers."""

from __future__ import annotations

import itertools
import math

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers import DType, Linear, dropout, split_or_none
from score_sde.typing import Array, Batch, Key


class Perceptron(nnx.Module):
    """h_1 = act(W x), h_k = act(W h_(k-1)), output W h_depth: (batch, *shape) -> (batch, outputs).

    ``act`` is SiLU. Dropout follows each activation, only with a key.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int = 1,
        width: int = 128,
        depth: int = 3,
        dropout: float = 0.0,
        dtype: DType = jnp.float32,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.dropout = dropout
        sizes = [math.prod(shape), *[width] * depth]
        pairs = itertools.pairwise(sizes)
        self.hidden = nnx.List([Linear(a, b, dtype=dtype, rngs=rngs) for a, b in pairs])
        self.last = Linear(sizes[-1], outputs, dtype=dtype, rngs=rngs)

    def __call__(self, x: Batch, *, key: Key | None = None) -> Array:
        """(B, *shape) -> (B, outputs), of the dtype of x."""
        hidden = x.reshape(x.shape[0], -1)
        keys = split_or_none(key, len(self.hidden))
        for layer in self.hidden:
            hidden = dropout(next(keys), jax.nn.silu(layer(hidden)), self.dropout)
        return self.last(hidden).astype(x.dtype)
