"""A forecaster in the bootstrap filter: Kalman's smoother where it is exact, and whatever the system does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from next_change import NextChange

from score_sde.dynamics import (
    FromForecaster,
    FromPast,
    FromSystem,
    LinearGaussian,
    bootstrap_filter,
    kalman_smoother,
)
from score_sde.errors import InputError
from score_sde.inverse import Dense, GaussianNoise
from score_sde.samplers import ChurnedHeun, Denoise, LogSNR, Sampler
from score_sde.sdes import VP

PARTICLES, STD = 16_384, 0.5
OBSERVE = np.array([[1.0, 0.5]])
SEEN = np.array([[2.0], [np.nan], [1.2], [np.nan], [1.2]])
ALLOWED = np.array(
    [0.08, 0.12, 0.08]
)  # of evidence, means and deviations: twice what the filter's noise gives
SYSTEM = LinearGaussian(
    matrix=np.array([[0.9, 0.4], [-0.4, 0.7]]), mean=np.zeros(2), covariance=0.8 * np.eye(2), noise=0.4
)
SAMPLER = Sampler(predictor=ChurnedHeun(N=32), grid=LogSNR(sigma_min=0.005), n_steps=32, final=Denoise())


def learnt(stretch=1.0):
    """What training would find in the end, begun where the system begins."""
    matrix = stretch * jnp.asarray(SYSTEM.matrix)
    change = NextChange(sde=VP(), matrix=matrix, variances=SYSTEM.noise**2, scale=0.8)
    states = SYSTEM.start(jax.random.key(3), PARTICLES)
    return FromForecaster(forecaster=FromPast(model=change, sampler=SAMPLER, scale=0.8), states=states)


def filtered(process):
    first = process.start(jax.random.key(7), PARTICLES)
    seen, when = jnp.nan_to_num(jnp.asarray(SEEN)), jnp.asarray(~np.isnan(SEEN[:, 0]))
    operator, noise = Dense(matrix=OBSERVE, shape=(2,)), GaussianNoise(std=STD)
    return bootstrap_filter(jax.random.key(0), process, first, seen, when, operator, noise)


def errors(process):
    """Of the evidence in nats, and the largest of smoothed means and deviations, over the latter."""
    exact, found = kalman_smoother(SYSTEM, SEEN, OBSERVE, STD), filtered(process)
    drawn = np.asarray(found.trajectories(jax.random.key(1), PARTICLES))
    stds = np.sqrt(np.diagonal(exact.covariances, axis1=1, axis2=2))
    means, spreads = (drawn.mean(axis=0) - exact.means) / stds, drawn.std(axis=0) / stds - 1
    off = float(found.log_evidence) - exact.log_evidence
    return np.array([abs(off), np.abs(means).max(), np.abs(spreads).max()])


def test_an_exact_forecaster_gives_kalmans_smoother_and_evidence():
    assert (errors(learnt()) < ALLOWED).all()


def test_the_test_sees_five_per_cent():
    """With a matrix 5 % too large Kalman's own means are off by 0.24 deviations."""
    assert errors(learnt(stretch=1.05))[1] > 1.5 * ALLOWED[1]


def test_the_system_as_forecaster_is_the_system():
    """The same keys, so the same states."""
    states = SYSTEM.start(jax.random.key(3), PARTICLES)
    process = FromForecaster(forecaster=FromSystem(system=SYSTEM), states=states)
    assert process.shape == (2,)
    x, key = states[:5], jax.random.key(2)
    np.testing.assert_array_equal(process.step(key, x), SYSTEM.step(key, x))
    np.testing.assert_allclose(process.simulate(key, x, 4), SYSTEM.simulate(key, x, 4), atol=1e-6)


def test_trajectories_begin_at_the_states():
    """Each once where there are enough, and again where more are asked for."""
    process = FromForecaster(forecaster=FromSystem(system=SYSTEM), states=np.arange(8.0).reshape(4, 2))
    found = np.asarray(process.start(jax.random.key(0), 4))
    np.testing.assert_array_equal(np.sort(found[:, 0]), [0, 2, 4, 6])
    many = np.asarray(process.start(jax.random.key(0), 4000))[:, 0]
    np.testing.assert_allclose(np.unique(many, return_counts=True)[1], 1000, atol=4 * np.sqrt(750))


def test_mistakes_are_told():
    with pytest.raises(InputError, match=r"FromForecaster\.forecaster: FromSystem\.known = 2: expected 1"):
        FromForecaster(forecaster=FromSystem(known=2, system=SYSTEM), states=np.zeros((3, 2)))
    with pytest.raises(InputError, match=r"FromForecaster\.states\.shape = \(0, 2\)"):
        FromForecaster(forecaster=FromSystem(system=SYSTEM), states=np.zeros((0, 2)))
