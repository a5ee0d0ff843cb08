"""A multilayer perceptron for low-dimensional data, or for any event shape laid out flat."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.layers import (
    DType,
    LabelEmbedding,
    Linear,
    PositionalEmbedding,
    dropout,
    split_or_none,
)
from score_sde.typing import Batch, Condition, Key, PerExample


class MLP(nnx.Module):
    """h_0 = W x, h_k = h_(k-1) + W_k act(h_(k-1) + V_k emb), output W act(h_depth), k = 1 .. depth.

    ``emb`` embeds the noise labels (times ``label_scale``) and, with ``n_classes``, the class labels as
    ``UNet`` does. The last layer starts at zero. x is (B, dim); ``for_shape`` builds one for other shapes.

    Raises:
        InputError: x of another shape; class labels for a network without classes.
    """

    def __init__(
        self,
        dim: int = 2,
        width: int = 128,
        depth: int = 3,
        dropout: float = 0.0,
        n_classes: int | None = None,
        label_scale: float = 1.0,
        dtype: DType = jnp.float32,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape: tuple[int, ...] = (dim,)
        self.dropout = dropout
        self.embedding = LabelEmbedding(
            PositionalEmbedding(width, scale=label_scale), width, width, n_classes, dtype=dtype, rngs=rngs
        )
        self.first = Linear(dim, width, dtype=dtype, rngs=rngs)
        self.embeds = nnx.List([Linear(width, width, dtype=dtype, rngs=rngs) for _ in range(depth)])
        self.hidden = nnx.List([Linear(width, width, dtype=dtype, rngs=rngs) for _ in range(depth)])
        self.last = Linear(width, dim, init_scale=0.0, dtype=dtype, rngs=rngs)

    @classmethod
    def for_shape(cls, shape: tuple[int, ...], *, rngs: nnx.Rngs, **options: object) -> MLP:
        """A network on events of ``shape``, which it flattens and restores; ``options`` are ``MLP``'s."""
        network = cls(dim=math.prod(shape), rngs=rngs, **options)  # type: ignore[arg-type]
        network.shape = tuple(shape)
        return network

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *shape), of the dtype of x; dropout only with a key."""
        if x.shape[1:] != self.shape:
            raise InputError(
                "MLP: shape of x", x.shape, f"(batch, {self.shape})", "build the network with the data's dim"
            )
        embedding = jax.nn.silu(self.embedding(labels, cond))
        hidden = self.first(x.reshape(x.shape[0], -1))
        keys = split_or_none(key, len(self.hidden))
        for embed, layer in zip(self.embeds, self.hidden, strict=True):
            inner = jax.nn.silu(hidden + embed(embedding))
            hidden = hidden + layer(dropout(next(keys), inner, self.dropout))
        return self.last(jax.nn.silu(hidden)).astype(x.dtype).reshape(x.shape)
