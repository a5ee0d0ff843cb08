"""Training on arrays: to the exact denoiser of a normal law, and a function of its arguments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from score_sde import denoisers, networks, objectives, sdes
from score_sde.errors import InputError
from score_sde.training.in_memory import train_on

KEY = jax.random.key(3)
OBJECTIVE = objectives.DenoisingScoreMatching(times=objectives.UniformLogSNR(low=-4.0, high=4.0))
X = np.random.default_rng(0).normal(size=(2000, 2)).astype(np.float32) * np.float32([2.0, 0.5])


def fresh():
    network = networks.MLP(dim=2, width=32, depth=1, label_scale=40.0, rngs=nnx.Rngs(0))
    precondition = denoisers.EDMPrecondition(sigma_data=1.0, labels=denoisers.LogSNRLabels())
    return denoisers.Preconditioned(network=network, sde=sdes.VP(), precondition=precondition)


def test_it_comes_near_the_exact_denoiser():
    exact = denoisers.Gaussian(sde=sdes.VP(), mean=np.zeros(2), covariance=np.diag([4.0, 0.25]))
    model = train_on(fresh(), OBJECTIVE, X, KEY, steps=600, learning_rate=3e-3)
    x = jnp.asarray(X[:500])

    def error(model):
        return float(np.mean([np.mean(np.square(model(x, t) - exact(x, t))) for t in (0.2, 0.4)]))

    assert error(model) < 0.1 * error(fresh())


def test_it_is_a_function_of_its_arguments():
    models = [train_on(fresh(), OBJECTIVE, X, KEY, steps=60, batch_size=16) for _ in range(2)]
    first, second = (model(jnp.asarray(X[:3]), 0.3) for model in models)
    np.testing.assert_array_equal(first, second)


def test_mistakes_are_named():
    with pytest.raises(InputError, match="steps"):
        train_on(fresh(), OBJECTIVE, X, KEY, steps=0)
    with pytest.raises(InputError, match="batch_size"):
        train_on(fresh(), OBJECTIVE, X, KEY, steps=1, batch_size=0)
    with pytest.raises(InputError, match="at least one example"):
        train_on(fresh(), OBJECTIVE, X[:0], KEY, steps=1)
    with pytest.raises(InputError, match="learning rate"):
        train_on(fresh(), OBJECTIVE, X * np.float32(1e30), KEY, steps=4)
