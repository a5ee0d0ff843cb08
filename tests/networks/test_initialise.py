"""Initial weights are those of flax's own streams, traced or not."""

import functools

import jax
import numpy as np
from flax import nnx

from score_sde.networks import MLP, NCSNpp, partition
from score_sde.networks.base import count, initialise

SMALL = functools.partial(NCSNpp, channels=4, multipliers=(1, 2), blocks=1, attention_resolutions=(4,))


def weights(network):
    return jax.tree.leaves(partition(network)[0])


def test_the_keys_are_those_of_nnx_rngs():
    ours = weights(initialise(SMALL, seed=3, shape=(8, 8, 3)))
    theirs = weights(SMALL(shape=(8, 8, 3), rngs=nnx.Rngs(3)))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_traced_network_draws_the_same():
    factory = MLP.for_shape
    plain = weights(initialise(factory, seed=5, shape=(2,)))
    traced = jax.jit(lambda: weights(initialise(factory, seed=5, shape=(2,))))()
    for a, b in zip(plain, traced, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_shapes_are_known_without_drawing():
    network = jax.eval_shape(lambda: initialise(SMALL, seed=0, shape=(8, 8, 3)))
    assert count(network)[0] == sum(leaf.size for leaf in weights(initialise(SMALL, seed=0, shape=(8, 8, 3))))
