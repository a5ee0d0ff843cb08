"""What a transformer is told, as one vector for each example."""

from __future__ import annotations

import functools

import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.embeddings import PositionalEmbedding, stepwise_exponentials
from score_sde.networks.layers.initializers import narrow_normal_init
from score_sde.networks.layers.mapping import ClassTable, Mapping
from score_sde.typing import Array

TIME_FEATURES = 256
waves = functools.partial(PositionalEmbedding, endpoint=False, frequencies=stepwise_exponentials)


class ClassAndNoneTable(ClassTable):
    """A learnt vector for each class, and one for none: for no label, or the label ``n_classes``."""

    def __init__(self, n_classes: int, n_out: int, *, rngs: nnx.Rngs) -> None:
        super().__init__(n_classes + 1, n_out, init=narrow_normal_init, rngs=rngs)

    def __call__(self, label: Array | None) -> Array:
        """(B,) class labels or None -> (B, n_out), or what is the same for all."""
        return super().__call__(jnp.asarray(len(self.rows[...]) - 1) if label is None else label)


def token_mapping(width: int, n_classes: int | None, *, rngs: nnx.Rngs) -> Mapping:
    """W_2 silu(W_1 e(labels)) + class, with 256 waves of the labels (Peebles and Xie 2023's code)."""
    classes = None if n_classes is None else ClassAndNoneTable(n_classes, width, rngs=rngs)
    return Mapping(
        waves(TIME_FEATURES), TIME_FEATURES, width, last=classes, init=narrow_normal_init, rngs=rngs
    )
