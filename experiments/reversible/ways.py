"""What is compared: one DiT whose blocks are held in several ways, and its training step."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.networks import DiT, Params
from score_sde.networks.base import initialise, partition
from score_sde.networks.layers import (
    SCANNED,
    UNROLLED,
    Depth,
    FixedPointStreams,
    Grouped,
    Reversible,
    Scanned,
)

PLAIN, REVERSIBLE = "plain", "reversible"  # what others are compared to, and what it is about
WAYS: dict[str, Depth] = {
    PLAIN: UNROLLED,
    "in a loop": SCANNED,
    "remat of each block": Scanned(remat=True),
    "remat of sqrt(depth) groups": Grouped(),
    "remat of groups and blocks": Grouped(remat=True),
    REVERSIBLE: Reversible(),
    "reversible, to the last bit": Reversible(streams=FixedPointStreams()),
}


class Size(NamedTuple):
    """Of the network and its batch; tokens are patches of 2x2 of images with one channel."""

    width: int = 128
    heads: int = 4
    side: int = 16
    batch: int = 32

    @property
    def stream(self) -> int:
        """Bytes of the tokens between two blocks, in float32."""
        return 4 * self.batch * (self.side // 2) ** 2 * self.width


class Trainable(NamedTuple):
    """A network's parameters, how to put them back, and a batch."""

    params: Params
    rebuild: Callable[[Params], Any]
    x: jax.Array
    labels: jax.Array

    def loss(self, params: Params, key: jax.Array | None) -> jax.Array:
        """A number that depends on all outputs; keyed as in training, or by ordinary differentiation."""
        return jnp.mean(jnp.square(self.rebuild(params)(self.x, self.labels, key=key) - self.x))


def trainable(way: Depth, depth: int, size: Size, dtype: Any = jnp.float32) -> Trainable:
    """A network with every parameter at random, so that each block changes its input, and nothing is zero."""
    factory = functools.partial(
        DiT, width=size.width, depth=depth, heads=size.heads, outputs=1, layers=way, dtype=dtype
    )
    shape = (size.side, size.side, 1)
    params, rebuild = partition(jax.eval_shape(lambda: initialise(factory, seed=0, shape=shape)))
    rng = np.random.default_rng(0)

    def drawn(leaf: Any) -> jax.Array:
        inputs = leaf.shape[-2] if leaf.ndim > 1 else math.inf
        scale = 1 / math.sqrt(inputs) if inputs < math.inf else 0.1
        return jnp.asarray(scale * rng.standard_normal(leaf.shape), leaf.dtype)

    x = jnp.asarray(rng.standard_normal((size.batch, *shape)), jnp.float32)
    return Trainable(jax.tree.map(drawn, params), rebuild, x, jnp.linspace(0.0, 900.0, size.batch))


def step(made: Trainable) -> Any:
    """Loss and gradient, compiled ahead of time; called with parameters and a key."""
    return jax.jit(jax.value_and_grad(made.loss)).lower(made.params, jax.random.key(0)).compile()
