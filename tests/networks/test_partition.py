"""Parameters out as dictionaries, and back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from score_sde.networks import MLP, partition
from score_sde.networks.layers import FourierEmbedding, Linear
from score_sde.pytree import Pytree, static


class Model(Pytree):
    """A network inside a part of ours, beside a constant and a name."""

    network: nnx.Module
    constant: float = 2.0
    name: str = static("model")


class Small(nnx.Module):
    """Frozen frequencies, a variable that is no parameter, and a list of trained layers."""

    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.embedding = FourierEmbedding(4, rngs=rngs)
        self.offset = nnx.Variable(jnp.asarray(0.5))
        self.layers = nnx.List([Linear(4, 3, rngs=rngs), Linear(3, 1, rngs=rngs)])

    def __call__(self, labels):
        hidden = self.embedding(labels) + self.offset[...]
        for layer in self.layers:
            hidden = jnp.tanh(layer(hidden))
        return hidden[:, 0]


@pytest.fixture
def model():
    return Model(network=Small())


def test_parameters_are_nested_dictionaries_of_arrays(model):
    params, _ = partition(model)
    shapes = jax.tree.map(jnp.shape, params, is_leaf=lambda a: isinstance(a, jax.Array))
    assert shapes == {
        "network": {
            "embedding": {"frequencies": (2,)},
            "layers": {
                "0": {"kernel": (4, 3), "bias": (3,)},
                "1": {"kernel": (3, 1), "bias": (1,)},
            },
        }
    }


def test_round_trip(model):
    params, rebuild = partition(model)
    labels = jnp.linspace(0, 1, 5)
    again = rebuild(params)
    np.testing.assert_array_equal(again.network(labels), model.network(labels))
    assert (again.constant, again.name) == (2.0, "model")
    assert jax.tree.structure(partition(again)[0]) == jax.tree.structure(params)


def test_rebuild_uses_what_it_is_given_and_leaves_the_original_alone(model):
    params, rebuild = partition(model)
    before = model.network(jnp.ones(2))
    zeros = rebuild(jax.tree.map(jnp.zeros_like, params))
    np.testing.assert_array_equal(zeros.network(jnp.ones(2)), 0.0)
    np.testing.assert_array_equal(model.network(jnp.ones(2)), before)


def test_gradients_reach_every_parameter_and_nothing_else(model):
    params, _ = partition(model)

    @jax.jit
    def gradient(params, model):
        rebuild = partition(model)[1]
        return jax.grad(lambda p: jnp.sum(rebuild(p).network(jnp.linspace(0.1, 1, 5))))(params)

    gradients = gradient(params, model)
    assert jax.tree.structure(gradients) == jax.tree.structure(params)
    frozen = gradients["network"].pop("embedding")
    np.testing.assert_array_equal(frozen["frequencies"], 0.0)
    assert all(jnp.any(g != 0) for g in jax.tree.leaves(gradients))


def test_a_module_itself_passes_through_jit_and_vmap():
    network = MLP(width=8, rngs=nnx.Rngs(0))
    out = jax.jit(lambda n, x: n(x, jnp.ones(3)))(network, jnp.ones((3, 2)))
    assert out.shape == (3, 2)
    params, rebuild = partition(network)
    stacked = jax.tree.map(lambda a: jnp.stack([a, a + 1]), params)
    both = jax.vmap(lambda p: rebuild(p)(jnp.ones((3, 2)), jnp.ones(3)))(stacked)
    assert both.shape == (2, 3, 2)
    np.testing.assert_allclose(both[0], out, atol=1e-6)
