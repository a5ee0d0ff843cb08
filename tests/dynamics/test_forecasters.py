"""Forecasts of a linear system by models in closed form: the system's own law, by both ways."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from next_change import NextChange

from score_sde.denoisers import Gaussian
from score_sde.dynamics import FromPast, FromSystem, Inpainted, InUnits, LinearGaussian
from score_sde.errors import InputError
from score_sde.inverse import MMPS
from score_sde.samplers import ChurnedHeun, Denoise, LogSNR, Sampler
from score_sde.sdes import VP

MATRIX, NOISE, STD = np.array([[0.8, 0.4], [-0.4, 0.8]]), 0.3, np.array([2.0, 0.5])
LAW = NOISE**2 / (1 - 0.8) * np.eye(2)  # MATRIX MATRIX^T = 0.8 I
RAW = LinearGaussian(matrix=MATRIX, mean=np.zeros(2), covariance=LAW, noise=NOISE)
SYSTEM = InUnits(system=RAW, mean=np.array([1.0, -1.0]), std=STD, field=(2,))
SAMPLER = Sampler(
    predictor=ChurnedHeun(N=32, churn=3.0), grid=LogSNR(sigma_min=0.005), n_steps=32, final=Denoise()
)
PAST = np.array([[0.5, -0.3], [0.2, 1.0]])  # two states, in the units of models
MEMBERS = 6000


def in_units():
    """Matrix, offset and variances of the step in the units of models, by hand."""
    matrix = MATRIX * STD / STD[:, None]
    offset = (MATRIX @ np.array([1.0, -1.0]) - np.array([1.0, -1.0])) / STD
    return matrix, offset, (NOISE / STD) ** 2


def expected(leads):
    """Mean and variances of the state after each lead, by the recursion."""
    matrix, offset, variances = in_units()
    mean, covariance, found = PAST[-1], np.zeros((2, 2)), []
    for _ in range(leads):
        mean, covariance = matrix @ mean + offset, matrix @ covariance @ matrix.T + np.diag(variances)
        found.append((mean, np.diag(covariance)))
    return [np.stack(each) for each in zip(*found, strict=True)]


def from_past():
    matrix, offset, variances = in_units()
    model = NextChange(
        sde=VP(), matrix=jnp.asarray(matrix), mean=jnp.asarray(offset), variances=variances, scale=0.7
    )
    return FromPast(model=model, sampler=SAMPLER, scale=0.7)


def inpainted():
    mean, covariance = RAW.joint(5)
    scale = np.tile(STD, 5)
    window = Gaussian(
        sde=VP(), mean=np.asarray(SYSTEM.encode(mean)), covariance=covariance / np.outer(scale, scale)
    )
    return Inpainted(
        known=2, model=window, method=MMPS(sampler=SAMPLER, iterations=4), window=(5, 2), std=0.01
    )


@pytest.mark.parametrize("make", [from_past, inpainted, lambda: FromSystem(system=SYSTEM)])
def test_rollouts_have_the_law_of_the_system(make):
    """Four leads, with 6000 members: means within four standard errors, variances within 10 %
    (three standard errors are 5 %, and 32 steps of the sampler err by a few per cent).

    Inpainted windows give three states at once, so that the fourth is told of drawn ones.
    """
    past = jnp.tile(jnp.asarray(PAST, jnp.float32)[None], (MEMBERS, 1, 1))
    found = np.asarray(make().rollout(jax.random.key(0), past, 4))
    assert found.shape == (MEMBERS, 4, 2)
    means, variances = expected(4)
    off = np.abs(found.mean(axis=0) - means) / np.sqrt(variances / MEMBERS)
    assert off.max() < 4 + np.sqrt(MEMBERS) * 0.02  # the sampler's 2 % of a standard deviation
    np.testing.assert_allclose(found.var(axis=0), variances, rtol=0.1)


def test_units_go_there_and_back():
    x = np.random.default_rng(0).normal(size=(3, 4, 2))
    np.testing.assert_allclose(SYSTEM.decode(SYSTEM.encode(x)), x, atol=1e-6)
    stepped = SYSTEM.step(jax.random.key(0), jnp.zeros((40_000, 2)))
    _, offset, variances = in_units()
    np.testing.assert_allclose(stepped.mean(axis=0), offset, atol=0.02)
    np.testing.assert_allclose(stepped.var(axis=0), variances, rtol=0.05)


def test_states_in_a_row_have_the_law_that_simulation_has():
    mean, covariance = RAW.joint(4)
    drawn = np.asarray(RAW.trajectories(jax.random.key(1), 40_000, 4)).reshape(40_000, 8)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.02)
    np.testing.assert_allclose(drawn.mean(axis=0), mean.ravel(), atol=0.02)


def test_mistakes_are_told():
    system = FromSystem(known=3, system=SYSTEM)
    with pytest.raises(InputError, match="states of the past = 2: expected at least 3"):
        system.rollout(jax.random.key(0), jnp.zeros((1, 2, 2)), 4)
    with pytest.raises(InputError, match="rollout length = 0"):
        system.rollout(jax.random.key(0), jnp.zeros((1, 3, 2)), 0)
    with pytest.raises(InputError, match=r"FromSystem\.known = 0"):
        FromSystem(known=0, system=SYSTEM)
    with pytest.raises(InputError, match=r"InUnits\.field"):
        InUnits(system=RAW, field=(3,))
