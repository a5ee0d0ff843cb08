"""Variational dequantisation: the density of the flow, what training gains, and one step that trains all."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from scipy.stats import norm
from two_pixels import PIXELS, UNITS, Closed, masses

from score_sde import denoisers, networks, sdes, training
from score_sde.errors import InputError
from score_sde.likelihood import BoundLoss, DequantizedBound, DiffusionBound, LearntNoise

KEY = jax.random.key(0)
SHAPES = [(3,), (2, 2, 1)]


def stirred(flow, key=KEY, size=0.15):
    """The flow with random parameters, so that no coupling is an identity."""
    params, rebuild = networks.partition(flow)
    leaves, structure = jax.tree.flatten(params)
    keys = jax.random.split(key, len(leaves))
    moved = [leaf + size * jax.random.normal(k, leaf.shape) for k, leaf in zip(keys, leaves, strict=True)]
    return rebuild(jax.tree.unflatten(structure, moved))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_flow_starts_uniform(shape):
    flow = networks.DequantizationFlow(shape, width=8, rngs=nnx.Rngs(0))
    noise = jax.random.normal(KEY, (5, *shape))
    shares, log_prob = flow(jnp.zeros((5, *shape)), noise)
    np.testing.assert_allclose(shares, norm.cdf(noise), atol=1e-6)
    np.testing.assert_allclose(log_prob, 0, atol=1e-6)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("shape", SHAPES)
def test_its_density_is_that_of_the_change_of_variables(shape):
    """log q(u) = log N(noise) - log |det du / dnoise|, the determinant from numpy and the whole Jacobian."""
    flow = stirred(networks.DequantizationFlow(shape, width=8, rngs=nnx.Rngs(0)))
    x, noise = jax.random.uniform(KEY, (2, *shape), minval=-1), jax.random.normal(KEY, (2, *shape))
    run = jax.jit(flow)
    shares, log_prob = run(x, noise)
    assert np.all((np.asarray(shares) > 0) & (np.asarray(shares) < 1))
    size = int(np.prod(shape))
    jacobian = np.asarray(jax.jacfwd(lambda z: run(x, z)[0])(noise)).reshape(2, size, 2, size)
    for i in range(2):
        log_det = np.linalg.slogdet(jacobian[i, :, i])[1]
        expected = norm.logpdf(np.asarray(noise[i])).sum() - log_det
        np.testing.assert_allclose(log_prob[i], expected, rtol=1e-8)
    assert float(jnp.min(jnp.abs(log_prob))) > 0.01  # not uniform any more
    other = run(jnp.flip(x, 0), noise)[0]
    assert float(jnp.max(jnp.abs(other - shares))) > 1e-2  # it looks at x


class Noisy(denoisers.Denoiser):
    """A denoiser that is asked for nothing but its dequantisation."""

    flow: networks.DequantizationFlow

    def __call__(self, x, t, cond=None, *, key=None):
        return x

    def dequantize(self, x, noise):
        return self.flow(x, noise)


def test_training_closes_most_of_the_gap_to_the_log_probability():
    """Two pixels of three levels under a normal density: uniform noise costs 0.4 nats, learnt a sixth of it.

    The mean over all images weighed by their probabilities; a bound: never above the entropy's side.
    """
    flow = networks.DequantizationFlow((2,), width=16, couplings=4, rngs=nnx.Rngs(0))
    params, rebuild = networks.partition(Noisy(sde=sdes.VP(), flow=flow))
    loss = BoundLoss(units=UNITS, method=DequantizedBound(density=Closed(), dequantizer=LearntNoise()))
    optimizer, weights = optax.adam(5e-3), jnp.asarray(masses())
    x0 = jnp.tile(UNITS.place(PIXELS, 0.5), (16, 1))

    def mean_bits(params, key):
        return jnp.sum(jnp.tile(weights, 16) * loss(key, rebuild(params), x0)) / (16 * jnp.sum(weights))

    @jax.jit
    def train(params):
        def update(carry, key):
            params, state = carry
            changes, state = optimizer.update(jax.grad(mean_bits)(params, key), state)
            return (optax.apply_updates(params, changes), state), None

        return jax.lax.scan(update, (params, optimizer.init(params)), jax.random.split(KEY, 400))[0][0]

    def gap(params):
        bits = jnp.mean(jax.jit(jax.vmap(lambda key: mean_bits(params, key)))(jax.random.split(KEY, 200)))
        entropy = -np.sum(masses() * np.log2(masses())) / masses().sum() / 2
        return float(bits) - entropy

    before, after = gap(params), gap(train(params))
    assert before > 0.25
    assert -5e-3 < after < before / 4


def test_one_step_trains_denoiser_and_flow_together():
    """Every parameter of both moves within two updates; as a denoiser it is the network that it holds."""
    parts = {"network": networks.MLP.for_shape, "flow": networks.DequantizationFlow}
    network = networks.WithDequantization((2,), **parts, rngs=nnx.Rngs(0))
    model = denoisers.Dequantizing(network=network, sde=sdes.VP(), precondition=denoisers.NoisePrediction())
    params, rebuild = networks.partition(model)
    method = DequantizedBound(density=DiffusionBound(times=1, draws=1), dequantizer=LearntNoise())
    step = jax.jit(
        training.make_step(
            objective=BoundLoss(units=UNITS, method=method),
            optimizer=optax.adam(1e-3),
            rebuild=rebuild,
            units=UNITS,
            ema=training.NoEMA(),
        )
    )
    state = training.init_state(params, optax.adam(1e-3))
    for _ in range(3):  # last layers start at zero, so that those before them see gradients one update later
        state, metrics = step(KEY, state, {"x": jnp.asarray(PIXELS)})
        assert bool(metrics["finite"])
    moved = jax.tree.map(lambda a, b: float(jnp.max(jnp.abs(a - b))), state.params, params)
    still = [path for path, size in jax.tree_util.tree_leaves_with_path(moved) if size == 0]
    assert not still, still
    x, t = jnp.ones((2, 2)), jnp.full(2, 0.3)
    plain = denoisers.Preconditioned(
        network=network.network, sde=sdes.VP(), precondition=denoisers.NoisePrediction()
    )
    np.testing.assert_array_equal(model(x, t), plain(x, t))
    whole = denoisers.Deterministic.of(model)
    np.testing.assert_array_equal(whole.dequantize(x, x)[0], model.dequantize(x, x)[0])


def test_a_network_without_a_flow_is_told_how_to_get_one():
    network = networks.MLP(dim=2, width=8, rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match=r"Dequantizing.network = 'MLP'.*WithDequantization"):
        denoisers.Dequantizing(network=network, sde=sdes.VP(), precondition=denoisers.NoisePrediction())
