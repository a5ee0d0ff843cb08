"""What is not a network multiplies in full precision: no product is left to be rounded to TF32.

A CPU does not round so, whatever is asked: no value would show it here.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from default_products import default_products
from linear_operators import linear_cases
from walk import concrete_subclasses

from score_sde import denoisers, divergence, integrators, sdes, training
from score_sde.inverse import GaussianNoise, Measurement, log_evidence, posterior
from score_sde.inverse.operators import Dense
from score_sde.likelihood import log_likelihood

SDE = sdes.VP()
KEY = jax.random.key(0)
COVARIANCE = 0.5 * np.eye(4) + 0.1
MEANS = np.arange(8.0).reshape(2, 4)
EXACT = {
    "Empirical": denoisers.Empirical(sde=SDE, data=MEANS),
    "Gaussian": denoisers.Gaussian(sde=SDE, mean=MEANS[1], covariance=COVARIANCE),
    "GaussianMixture": denoisers.GaussianMixture(
        sde=SDE, weights=np.ones(2), means=MEANS, covariances=np.stack([COVARIANCE, 2 * COVARIANCE])
    ),
    "IsotropicMixture": denoisers.IsotropicMixture(sde=SDE, weights=np.ones(2), means=MEANS),
}
X = jnp.ones((3, 4))


def weights_of(x):
    return jnp.full((x.shape[-1], 2), 0.1, x.dtype)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x @ weights_of(x),
        lambda x: jax.lax.scan(lambda y, _: (y, jnp.vdot(y, y)), x, None, 2),
        lambda x: jax.lax.cond(x[0, 0] > 0, lambda x: x @ weights_of(x), lambda x: x[:, :2], x),
        jax.jit(lambda x: jnp.matmul(x, weights_of(x), precision="high")),
        jax.grad(lambda x: jnp.sum(jnp.square(jnp.tensordot(x, weights_of(x), axes=1)))),
        lambda x: jnp.convolve(x[0], x[1]),
    ],
)
def test_a_product_at_the_default_is_found(function):
    assert default_products(function, X)


def test_integers_and_full_products_are_none():
    assert not default_products(lambda x: jnp.matmul(x, x.T, precision="highest"), X)
    assert not default_products(lambda n: n @ n, jnp.arange(3))


def test_all_exact_denoisers_are_here():
    found = concrete_subclasses(denoisers.Denoiser, "score_sde.denoisers")
    assert {cls.__name__ for cls in found if hasattr(cls, "log_prob")} == set(EXACT)


@pytest.mark.parametrize("model", EXACT.values(), ids=EXACT)
def test_exact_denoisers(model):
    assert not default_products(lambda x: model.estimate(x, 0.3), X)
    assert not default_products(lambda x: model.log_prob(x, 0.3), X)
    assert not default_products(lambda key: model.sample(key, 3), KEY)


@pytest.mark.parametrize("kind", [divergence.ExactDivergence(), divergence.Hutchinson(probes=2)])
def test_divergences_and_likelihoods(kind):
    """By fixed steps: of diffrax's adaptive ones the interpolant has such products, and is compiled away."""
    model, solver = EXACT["Gaussian"], integrators.FixedStep(n_steps=2)
    assert not default_products(lambda x: kind(KEY, lambda x: model(x, 0.3), x), X)
    assert not default_products(lambda x: log_likelihood(model, x, KEY, divergence=kind, solver=solver), X)


@pytest.mark.parametrize(
    ("name", "build"), linear_cases(), ids=lambda case: case if type(case) is str else ""
)
def test_linear_operators(name, build):
    operator = build()
    x = jnp.ones((2, *operator.shape))
    assert not default_products(operator, x), name
    y = jnp.ones((2, *operator.measured_shape))
    assert not default_products(operator.adjoint, y)
    assert not default_products(lambda y: operator.weighted_adjoint(y, 0.7, 0.1), y)


@pytest.mark.parametrize("prior", ["Gaussian", "GaussianMixture", "IsotropicMixture"])
def test_posteriors(prior):
    operator = Dense(matrix=np.ones((2, 4)))

    def found(y):
        measurement = Measurement(y=y, operator=operator, noise=GaussianNoise(std=0.1))
        law = posterior(EXACT[prior], measurement)
        return log_evidence(EXACT[prior], measurement), law.sample(KEY, 2), jnp.sum(law.means)

    assert not default_products(found, jnp.ones((1, 2)))


@pytest.mark.parametrize("cls", concrete_subclasses(training.Augmentation), ids=lambda cls: cls.__name__)
def test_augmentations(cls):
    assert not default_products(lambda x: cls()(KEY, x), jnp.ones((2, 8, 8, 3)))
