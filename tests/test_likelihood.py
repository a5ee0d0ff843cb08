"""Likelihoods against closed forms, for every SDE and for a general one."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from user_sde import LogisticDiffusion
from walk import concrete_subclasses

from score_sde import denoisers, sdes
from score_sde.divergence import ExactDivergence, Hutchinson, Probe
from score_sde.integrators.adaptive import Adaptive
from score_sde.integrators.fixed import FixedStep
from score_sde.integrators.methods import RungeKutta4
from score_sde.likelihood import evaluate_likelihood, log_likelihood
from score_sde.sdes import DiscreteVP

pytestmark = pytest.mark.usefixtures("x64")
SDES = concrete_subclasses(sdes.GaussianSDE, "score_sde.sdes")
FINE = Adaptive(rtol=1e-8, atol=1e-8)
EXACT = ExactDivergence()
KEY = jax.random.key(0)
MEANS = np.array([[-0.6, 0.3], [0.5, 0.1]])
COVARIANCES = np.array([[[0.2, 0.05], [0.05, 0.1]], [[0.1, -0.02], [-0.02, 0.3]]])
X = np.array([[-0.5, 0.2], [0.4, -0.3], [0.0, 0.9]])


def mixture(sde):
    return denoisers.GaussianMixture(sde=sde, weights=[0.4, 0.6], means=MEANS, covariances=COVARIANCES)


def data_log_prob():
    densities = [
        scipy.stats.multivariate_normal(m, c).pdf(X) for m, c in zip(MEANS, COVARIANCES, strict=True)
    ]
    return np.log(np.array([0.4, 0.6]) @ densities)


def with_true_end(model, nats, latent):
    """Replace the prior by the true law of x_T, from which it differs by terms of order alpha(T)."""
    prior = model.sde.prior(latent.shape).log_prob(latent)
    return nats - prior + model.log_prob(latent, model.sde.T)


@pytest.mark.parametrize("family", SDES, ids=lambda cls: cls.__name__)
def test_mixture_likelihood_is_the_closed_form_from_time_zero(family):
    """1e-5 nats at t_min = 0, where sigma(0) may be 0, up to T, where alpha(T) may be 0.

    A chain's drift jumps at each of its 1000 steps, where a solver of smooth equations loses digits.
    """
    atol = 1e-3 if family is DiscreteVP else 1e-5
    model = mixture(family())
    nats, latent = log_likelihood(model, jnp.asarray(X), KEY, solver=FINE, divergence=EXACT, t_min=0.0)
    expected = model.log_prob(X, 0.0)
    if float(model.sde.sigma(0.0)) == 0:
        np.testing.assert_allclose(expected, data_log_prob(), rtol=1e-10)
    np.testing.assert_allclose(with_true_end(model, nats, latent), expected, atol=atol)
    if float(model.sde.alpha(model.sde.T)) == 0:  # then the prior is the law of x_T
        np.testing.assert_allclose(nats, expected, atol=atol)


def test_gaussian_likelihood_latent_and_report():
    """The flow of a Gaussian is the linear map between its laws: x_T = L_T L_0^-1 (x - m_0) + m_T.

    For a diagonal covariance the map scales each axis by its ratio of standard deviations.
    """
    variances = np.array([0.5, 2.0])
    sde = sdes.RectifiedFlow()
    model = denoisers.Gaussian(sde=sde, mean=[0.3, -0.2], covariance=np.diag(variances))
    report = evaluate_likelihood(model, jnp.asarray(X), KEY, solver=FINE, divergence=EXACT, t_min=0.0)
    np.testing.assert_allclose(report.latent, (X - [0.3, -0.2]) / np.sqrt(variances), atol=1e-6)
    expected = scipy.stats.multivariate_normal([0.3, -0.2], np.diag(variances)).logpdf(X)
    np.testing.assert_allclose(report.nats, expected, atol=1e-5)
    np.testing.assert_array_equal(report.stderr, np.zeros(3))
    assert report.evaluations.shape == (3,)
    assert bool(jnp.all(report.evaluations > 10))


class EverySign(Probe):
    """All 2^D sign vectors: the exact expectation over Rademacher probes."""

    def __call__(self, key, shape, dtype):
        signs = itertools.product([-1.0, 1.0], repeat=int(np.prod(shape[1:])))
        return jnp.asarray(list(signs), dtype).reshape(shape)


def test_hutchinson_is_unbiased_and_its_standard_error_holds():
    """Over all signs the mean is the exact likelihood; 64 random probes lie within 4.5 of their error."""
    model = mixture(sdes.VP())
    solve = FixedStep(n_steps=60, method=RungeKutta4())

    def run(divergence):
        return evaluate_likelihood(
            model, jnp.asarray(X), KEY, solver=solve, divergence=divergence, t_min=1e-3
        )

    exact = run(EXACT)
    every = run(Hutchinson(probes=4, noise=EverySign()))
    np.testing.assert_allclose(every.nats, exact.nats, rtol=1e-10)
    random = run(Hutchinson(probes=64))
    assert float(jnp.max(random.stderr)) > 1e-3
    assert float(jnp.max(jnp.abs(random.nats - exact.nats) / random.stderr)) < 4.5
    assert np.all(np.isnan(run(Hutchinson()).stderr))
    np.testing.assert_allclose(random.latent, exact.latent, rtol=1e-12)


def test_error_falls_with_the_fourth_order_of_the_solver():
    model = mixture(sdes.RectifiedFlow())

    def error(n):
        solve = FixedStep(n_steps=n, method=RungeKutta4())
        nats, _ = log_likelihood(model, jnp.asarray(X), KEY, solver=solve, divergence=EXACT, t_min=0.0)
        return float(jnp.max(jnp.abs(nats - data_log_prob())))

    errors = [error(n) for n in (32, 64, 128)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 4, atol=0.35)


def test_images_conditions_and_jit():
    """The condition travels with its example; shapes beyond rows work; one compiled function."""
    sde = sdes.RectifiedFlow()
    shift = jnp.array([0.5, -1.0])

    def network(x, labels, cond, key):
        return jnp.broadcast_to(cond[:, None, None], x.shape)  # data concentrated at cond

    model = denoisers.Preconditioned(network=network, sde=sde, precondition=denoisers.DataPrediction())
    run = jax.jit(
        lambda m, x: log_likelihood(m, x, KEY, solver=FINE, divergence=EXACT, t_min=0.1, cond=shift)
    )
    x = jnp.ones((2, 2, 1)) * 0.3
    nats, latent = run(model, x)
    # dx/dt = (x - c) / t: x_T - c = (x - c) / t_min, with log volume 2 log(1 / t_min).
    expected = shift[:, None, None] + (x - shift[:, None, None]) / 0.1
    np.testing.assert_allclose(latent, expected, rtol=1e-6)
    normal = scipy.stats.norm.logpdf(np.asarray(expected)).sum((1, 2))
    np.testing.assert_allclose(nats, normal + 2 * np.log(10), rtol=1e-6)


def test_a_process_without_a_kernel_has_a_likelihood():
    """In the stationary law the flow stands still and the density is scipy's logistic."""
    model = denoisers.ScoreNetwork(network=lambda x, t, cond, key: -jnp.tanh(x / 2), sde=LogisticDiffusion())
    x = jnp.linspace(-3, 3, 5)[:, None]
    nats, latent = log_likelihood(model, x, KEY, divergence=EXACT)
    np.testing.assert_allclose(latent, x, atol=1e-9)
    np.testing.assert_allclose(nats, scipy.stats.logistic.logpdf(x[:, 0]), rtol=1e-8)
