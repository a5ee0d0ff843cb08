"""Networks that are told the end of a step, and the model that reads mean velocities from them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from score_sde import denoisers, networks, sdes
from score_sde.errors import InputError
from score_sde.networks.conditions import require_only

X = jnp.asarray(np.random.default_rng(0).normal(size=(3, 2)), jnp.float32)
T = jnp.array([0.3, 0.5, 0.9])


def mlp(shape, rngs):
    return networks.MLP.for_shape(shape, width=16, depth=1, n_classes=4, rngs=rngs)


def grown(network):
    """All parameters moved away from zero, where last layers begin."""
    state = nnx.state(network, nnx.Param)
    keys = iter(jax.random.split(jax.random.key(7), 99))
    moved = jax.tree.map(lambda leaf: leaf + 0.3 * jax.random.normal(next(keys), leaf.shape), state)
    nnx.update(network, moved)
    return network


@jax.jit
def called(network, *inputs):
    return network(*inputs)


@jax.jit
def velocity(model, *inputs):
    return model.velocity(*inputs)


def model(network):
    precondition = denoisers.VelocityPrediction(labels=denoisers.TimeLabels(scale=10.0))
    return denoisers.AverageVelocity(sde=sdes.RectifiedFlow(), network=network, precondition=precondition)


def test_it_begins_as_the_network_inside_whatever_the_end():
    inner = grown(mlp((2,), nnx.Rngs(0)))
    interval = networks.Interval(lambda shape, rngs: inner, (2,), rngs=nnx.Rngs(1))
    labels = jnp.array([0, 1, 2])
    wanted = called(grown(mlp((2,), nnx.Rngs(0))), X, T, labels)
    np.testing.assert_allclose(
        called(interval, X, T, {"label": labels, "end": jnp.zeros(3)}), wanted, rtol=1e-6
    )


def test_the_end_is_told_as_a_noise_label_and_missing_it_is_no_step():
    trained = model(grown(networks.Interval(mlp, (2,), rngs=nnx.Rngs(0))))
    still = velocity(trained, X, T)
    np.testing.assert_allclose(still, velocity(trained, X, T, denoisers.ending(None, T)), rtol=1e-6)
    moved = velocity(trained, X, T, denoisers.ending(None, 0.5 * T))
    assert np.all(np.abs(moved - still) > 1e-4)
    direct = called(trained.network, X, 10 * T, {"end": 5 * T})  # labels of TimeLabels(scale=10)
    np.testing.assert_allclose(moved, direct, rtol=1e-5)


def test_labels_of_classes_stay_beside_the_end():
    trained = model(grown(networks.Interval(mlp, (2,), rngs=nnx.Rngs(0))))
    told = denoisers.ending(jnp.array([0, 1, 2]), 0.5 * T)
    assert told.keys() == {"label", "end"}
    assert denoisers.ending({"augment": X}, T).keys() == {"augment", "end"}
    assert not np.allclose(velocity(trained, X, T, told), velocity(trained, X, T, {"end": 0.5 * T}))


def test_a_mean_velocity_has_derivatives_in_the_time():
    """The gradient of MeanFlow's loss reaches every parameter that is not at the end of a zero layer."""
    trained = model(grown(networks.Interval(mlp, (2,), rngs=nnx.Rngs(0))))
    params, rebuild = networks.partition(trained)

    def total(params):
        told = denoisers.ending(None, 0.5 * T)
        u, rate = jax.jvp(lambda x, t: rebuild(params).velocity(x, t, told), (X, T), (X, jnp.ones(3)))
        return jnp.sum(u) + jnp.sum(jax.lax.stop_gradient(rate))

    gradient = jax.jit(jax.grad(total))(params)["network"]["network"]["embedding"]
    assert np.abs(gradient["linear2"]["kernel"]).max() > 0
    assert np.abs(gradient["told"]["linear2"]["kernel"]).max() > 0


def test_mistakes_are_told():
    with pytest.raises(InputError, match=r"Interval\.network = .Perceptron.: expected a network with"):
        networks.Interval(networks.Perceptron, (2,), rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match=r"networks\.Interval"):
        require_only({"end": T}, "label", network="UNet")
