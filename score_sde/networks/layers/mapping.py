"""What a network of the EDM and ADM line is told, as one vector for each example."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.initializers import (
    BiasInit,
    Init,
    normal_init,
    uniform_init,
    zero_bias_init,
)
from score_sde.networks.layers.linear import Linear
from score_sde.typing import Array, PerExample


class ClassTable(nnx.Module):
    """A learnt vector for each class, exactly ``n_classes`` of them, and a bias if there is one.

    "No class" (no label, or the label ``n_classes``) is the zero vector, and the bias.
    """

    def __init__(
        self,
        n_classes: int,
        n_out: int,
        *,
        init: Init = normal_init,
        init_scale: float = 1.0,
        bias_init: BiasInit | None = None,
        rngs: nnx.Rngs,
    ) -> None:
        self.rows = nnx.Param(init(rngs.params(), (n_classes, n_out), init_scale))
        self.bias = None if bias_init is None else nnx.Param(bias_init(rngs.params(), (n_classes, n_out)))

    def __call__(self, label: Array | None) -> Array:
        """(B,) class labels or None -> (B, n_out), or what is the same for all."""
        rows = self.rows[...]
        told = jnp.zeros_like(rows[0])
        if label is not None:
            told = jnp.take(rows, jnp.asarray(label), axis=0, mode="fill", fill_value=0)
        return told if self.bias is None else told + self.bias[...]


class Mapping(nnx.Module):
    """W_2 act(W_1 (e(labels) + first(class) + A augment)) + last(class), in the parameters' type.

    ``embedding`` maps (B,) noise labels to (B, n_features). EDM's SongUNet adds the class first, ADM last.
    """

    def __init__(
        self,
        embedding: Callable[[Array], Array],
        n_features: int,
        n_out: int,
        *,
        first: ClassTable | None = None,
        last: ClassTable | None = None,
        augment: Linear | None = None,
        act: Callable[[Array], Array] = jax.nn.silu,
        init: Init = uniform_init,
        bias_init: BiasInit = zero_bias_init,
        rngs: nnx.Rngs,
    ) -> None:
        self.embedding, self.act = embedding, act
        self.first, self.last, self.augment = first, last, augment
        self.linear1 = Linear(n_features, n_out, init=init, bias_init=bias_init, rngs=rngs)
        self.linear2 = Linear(n_out, n_out, init=init, bias_init=bias_init, rngs=rngs)

    @property
    def told(self) -> tuple[str, ...]:
        """The parts of a condition that it takes."""
        classes = () if self.first is None and self.last is None else ("label",)
        return (*classes, *(() if self.augment is None else ("augment",)))

    def __call__(self, labels: PerExample, label: Array | None = None, augment: Array | None = None) -> Array:
        """(B,) noise labels, (B,) class labels, (B, n) augmentation labels -> (B, n_out)."""
        features = self.embedding(labels)
        if self.first is not None:
            features = features + self.first(label)
        if self.augment is not None and augment is not None:
            features = features + self.augment(augment)
        told = self.linear2(self.act(self.linear1(features)))
        return told if self.last is None else told + self.last(label)
