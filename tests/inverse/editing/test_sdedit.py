"""SDEdit's law for normal data, in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, samplers, sdes
from score_sde.errors import InputError
from score_sde.inverse import Measurement
from score_sde.inverse.editing import SDEdit
from score_sde.inverse.noises import GaussianNoise
from score_sde.inverse.operators import Mask

MEAN = np.array([0.4, -0.7])
COVARIANCE = np.array([[0.5, 0.3], [0.3, 0.4]])
GUIDE = np.array([2.0, 1.0])
DRAWS = 20_000
SAMPLER = samplers.Sampler(
    predictor=samplers.Ancestral(),
    grid=samplers.ToZero(grid=samplers.LogSNR(sigma_min=0.01)),
    n_steps=150,
    final=samplers.KeepSample(),
)
SDES = {"vp": (sdes.VP(), 0.3), "edm": (sdes.EDM(), 0.9), "flow": (sdes.RectifiedFlow(), 0.5)}


def model(sde):
    return denoisers.Gaussian(sde=sde, mean=jnp.asarray(MEAN), covariance=jnp.asarray(COVARIANCE))


def law(sde, t0):
    alpha, variance = float(sde.alpha(t0)), float(sde.variance(t0))
    gain = alpha * COVARIANCE @ np.linalg.inv(alpha**2 * COVARIANCE + variance * np.eye(2))
    mean = MEAN + alpha * gain @ (GUIDE - MEAN)
    return mean, COVARIANCE - alpha * gain @ COVARIANCE + variance * gain @ gain.T


def deviation(x, mean, covariance):
    """The largest error of the moments of whitened draws, in standard errors."""
    rows = np.linalg.solve(np.linalg.cholesky(covariance), (np.asarray(x, np.float64) - mean).T).T
    values = np.stack([rows[:, 0], rows[:, 1], rows[:, 0] ** 2, rows[:, 1] ** 2, rows[:, 0] * rows[:, 1]])
    errors = values.mean(axis=1) - np.array([0, 0, 1, 1, 0])
    return np.max(np.abs(errors) / values.std(axis=1)) * np.sqrt(len(rows))


@pytest.mark.parametrize("name", SDES)
def test_edited_normal_data_have_the_law_of_the_closed_form(name):
    sde, t0 = SDES[name]
    guide = jnp.broadcast_to(jnp.asarray(GUIDE, jnp.float32), (DRAWS, 2))
    x = SDEdit(sampler=SAMPLER, t0=t0)(jax.random.key(0), model(sde), guide)
    mean, covariance = law(sde, t0)
    assert deviation(x, mean, covariance) < 4.5
    assert deviation(1.05 * (x - mean) + mean, mean, covariance) > 6  # planted mistakes
    assert deviation(x, *law(sde, 1.05 * t0)) > 6


def test_what_is_kept_stays_and_the_rest_agrees_with_the_data():
    """Kept exactly; with much noise first, the rest is nearer to its mean given what is kept."""
    sde = sdes.VP()
    mask = Mask(mask=np.array([True, False]))
    guide = jnp.broadcast_to(jnp.asarray(GUIDE, jnp.float32), (DRAWS, 2))
    keep = Measurement(y=mask(guide[:1]), operator=mask, noise=GaussianNoise(std=0.0))
    edit = SDEdit(sampler=SAMPLER, t0=0.7)
    x = edit(jax.random.key(0), model(sde), guide, keep=keep)
    np.testing.assert_allclose(x[:, 0], GUIDE[0], atol=1e-6)
    conditional = MEAN[1] + COVARIANCE[1, 0] / COVARIANCE[0, 0] * (GUIDE[0] - MEAN[0])
    free = edit(jax.random.key(0), model(sde), guide)
    assert abs(np.mean(x[:, 1]) - conditional) < 0.5 * abs(np.mean(free[:, 1]) - conditional)


def test_mistakes_are_named():
    with pytest.raises(InputError, match=r"SDEdit\.t0 = 0: expected a time above 0"):
        SDEdit(t0=0)
    guide = jnp.ones((1, 2))
    with pytest.raises(InputError, match=r"SDEdit\.t0 = 2\.0: expected a time of at most T = 1\.0"):
        SDEdit(t0=2.0)(jax.random.key(0), model(sdes.VP()), guide)
    mask = Mask(mask=np.array([True, False]))
    keep = Measurement(y=mask(guide), operator=mask, noise=GaussianNoise(std=0.0))
    ode = SDEdit(sampler=samplers.ProbabilityFlowODE())
    with pytest.raises(InputError, match="expected a Sampler, where something is kept"):
        ode(jax.random.key(0), model(sdes.VP()), guide, keep=keep)
