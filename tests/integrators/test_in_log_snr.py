"""Flows solved in log-SNR: the same flow, with fewer evaluations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import sdes
from score_sde.denoisers import Gaussian
from score_sde.integrators import AdamsBashforth, Adaptive, FixedStep, InLogSNR, LogSNRNodes, RungeKutta4
from score_sde.likelihood import evaluate_likelihood

SDES = [sdes.VP(), sdes.SubVP(), sdes.VE(), sdes.EDM(T=10.0), sdes.RectifiedFlow()]
VARIANCES = jnp.array([0.01, 0.3, 2.0])


def flow(sde):
    """The probability flow of N(0, diag(VARIANCES)), and what it makes of x from t0 to t1."""
    model = Gaussian(sde=sde, mean=jnp.zeros(3), covariance=jnp.diag(VARIANCES))

    def scale(t):
        return jnp.sqrt(VARIANCES * sde.alpha(t) ** 2 + sde.variance(t))

    return lambda t, x: model.velocity(x, t), lambda x, t0, t1: x * scale(t1) / scale(t0)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("sde", SDES, ids=lambda sde: type(sde).__name__)
@pytest.mark.parametrize("forwards", [True, False])
@pytest.mark.parametrize(
    ("solver", "allowed"),
    [
        (AdamsBashforth(n_steps=120), 2e-4),
        (FixedStep(n_steps=60, method=RungeKutta4()), 1e-4),
        (Adaptive(rtol=1e-8, atol=1e-10), 1e-5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_flow_of_a_gaussian_is_its_scaling(sde, forwards, solver, allowed):
    field, exact = flow(sde)
    ends = (1e-3 * sde.T, 0.95 * sde.T) if forwards else (0.95 * sde.T, 1e-3 * sde.T)
    x = jnp.array([[0.1, -0.2, 0.4], [-0.05, 1.0, 2.0]])
    y = InLogSNR(sde=sde, solver=solver)(field, x, *ends).y
    np.testing.assert_allclose(y, exact(x, *ends), rtol=allowed)


@pytest.mark.usefixtures("x64")
def test_fewer_evaluations_than_steps_of_time_for_the_same_error():
    """64 Adams-Bashforth steps, 73 evaluations, beside 24 Runge-Kutta steps at the same log-SNRs, 96."""
    sde = sdes.VP()
    field, exact = flow(sde)
    x, ends = jnp.ones((1, 3)), (2.3e-5, 1.0)

    def error(solver):
        solved = solver(field, x, *ends)
        return solved.evaluations[0], np.abs(solved.y / exact(x, *ends) - 1).max()

    many, before = error(FixedStep(n_steps=24, method=RungeKutta4(), times=LogSNRNodes(sde=sde)))
    fewer, now = error(InLogSNR(sde=sde, solver=AdamsBashforth()))
    assert (many, fewer) == (96, 73)
    assert now < before


def test_likelihoods_in_single_precision_are_those_of_the_normal_law():
    sde = sdes.VP()
    model = Gaussian(sde=sde, mean=jnp.zeros(3), covariance=jnp.diag(VARIANCES))
    x = jax.random.normal(jax.random.key(0), (16, 3)) * jnp.sqrt(VARIANCES)
    solver = InLogSNR(sde=sde, solver=AdamsBashforth())
    found = evaluate_likelihood(model, x, jax.random.key(1), solver=solver, t_min=1e-5).nats
    total = np.asarray(VARIANCES * sde.alpha(1e-5) ** 2 + sde.variance(1e-5))
    exact = -0.5 * np.sum(np.asarray(x) ** 2 / total + np.log(2 * np.pi * total), axis=1)
    np.testing.assert_allclose(found, exact, atol=3e-3)
