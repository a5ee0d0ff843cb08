"""A network of twice the channels is read as ADM's code reads it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, sdes
from score_sde.errors import InputError

X = jnp.asarray(np.random.default_rng(0).normal(size=(4, 2, 2, 3)), jnp.float32)


def network(x, labels, cond=None, key=None):
    bias = labels[:, None, None, None] / 1000
    return jnp.concatenate([jnp.tanh(x) + bias, 0.1 * x], axis=-1)


def model(kind=denoisers.LearnedRange, net=network):
    precondition = denoisers.NoisePrediction(labels=denoisers.StepLabels())
    return kind(network=net, sde=sdes.DiscreteVP(), precondition=precondition)


def test_the_first_half_is_what_a_network_without_range_would_say():
    plain = model(denoisers.Preconditioned, lambda *a, **k: network(*a, **k)[..., :3])
    for t in (0.001, jnp.array([0.1, 0.2, 0.5, 1.0])):
        for ours, theirs in zip(model().estimate(X, t), plain.estimate(X, t), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_the_range_is_minus_one_to_one():
    """(v + 1) / 2 (guided-diffusion, gaussian_diffusion.py p_mean_variance)."""
    _, share = model().estimate_with_range(X, 0.5)
    np.testing.assert_allclose(share, (0.1 * X + 1) / 2, rtol=1e-6)


def test_labels_count_the_steps_from_zero():
    labels = denoisers.StepLabels()(sdes.DiscreteVP(), jnp.array([1, 500, 1000]) / 1000)
    np.testing.assert_allclose(labels, [0, 499, 999], rtol=1e-6)


def test_deterministic_passes_the_range_on():
    quiet = denoisers.Deterministic.of(model())
    estimate, share = quiet.estimate_with_range(X, 0.5, key=jax.random.key(0))
    np.testing.assert_array_equal(share, model().estimate_with_range(X, 0.5)[1])
    np.testing.assert_array_equal(estimate.noise, model().noise(X, 0.5))


def test_a_network_of_too_few_channels_is_named():
    with pytest.raises(InputError, match="twice the 3 channels"):
        model(net=lambda x, labels, cond, key: x).estimate(X, 0.5)
    with pytest.raises(InputError, match=r"StepLabels\.steps"):
        denoisers.StepLabels(steps=0)
