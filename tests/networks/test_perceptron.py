"""The perceptron without a time: its formula, its shapes, its dropout."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from score_sde.networks import Perceptron


def test_it_is_the_formula():
    network = Perceptron((2, 3), outputs=4, width=5, depth=2, rngs=nnx.Rngs(0))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(7, 2, 3)), jnp.float32)
    hidden = np.asarray(x).reshape(7, 6)
    for layer in network.hidden:
        before = hidden @ np.asarray(layer.kernel[...]) + np.asarray(layer.bias[...])
        hidden = before / (1 + np.exp(-before))
    expected = hidden @ np.asarray(network.last.kernel[...]) + np.asarray(network.last.bias[...])
    np.testing.assert_allclose(network(x), expected, atol=1e-5)


def test_dropout_needs_a_key():
    network = Perceptron((3,), outputs=2, width=16, depth=1, dropout=0.5, rngs=nnx.Rngs(0))
    x = jnp.ones((4, 3))
    np.testing.assert_array_equal(network(x), network(x))
    assert not np.allclose(network(x), network(x, key=jax.random.key(0)))
