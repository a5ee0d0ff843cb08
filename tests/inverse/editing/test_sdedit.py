"""SDEdit's law for normal data: the recursion of its steps to rounding, and the closed form in the limit."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from affine_laws import Law, Prior, affine_law

from score_sde import denoisers, samplers, sdes
from score_sde.errors import InputError
from score_sde.inverse import Measurement
from score_sde.inverse.editing import SDEdit
from score_sde.inverse.noises import GaussianNoise
from score_sde.inverse.operators import Mask

MEAN = np.array([0.4, -0.7])
COVARIANCE = np.array([[0.5, 0.3], [0.3, 0.4]])
GUIDE = np.array([2.0, 1.0])
SDES = {"vp": (sdes.VP(), 0.3), "edm": (sdes.EDM(), 0.9), "flow": (sdes.RectifiedFlow(), 0.5)}


def model(sde):
    return denoisers.Gaussian(sde=sde, mean=jnp.asarray(MEAN), covariance=jnp.asarray(COVARIANCE))


def sampler(n_steps):
    grid = samplers.ToZero(grid=samplers.LogSNR(sigma_min=0.01))
    return samplers.Sampler(
        predictor=samplers.Ancestral(), grid=grid, n_steps=n_steps, final=samplers.KeepSample()
    )


def closed_form(prior, t0):
    """x_0 given x_t0, averaged over x_t0 = alpha guide + sigma z."""
    alpha, sigma = prior.level(t0)
    gain, _ = prior.denoiser(t0)
    mean = prior.mean + alpha * gain @ (GUIDE - prior.mean)
    return Law(mean, prior.covariance - alpha * gain @ prior.covariance + sigma**2 * gain @ gain.T)


def steps(prior, t0, n_steps):
    """Meng et al. 2022, algorithm 2, with ancestral steps (Ho et al. 2020, eq. 6-7), in NumPy."""
    alpha, sigma = prior.level(t0)
    law = Law(alpha * GUIDE, sigma**2 * prior.eye)
    times = [float(t) for t in sampler(n_steps).grid(prior.sde, n_steps, t0)]
    for t, s in itertools.pairwise(times):
        (alpha_t, sigma_t), (alpha, sigma) = prior.level(t), prior.level(s)
        ratio = alpha_t / alpha
        added = sigma_t**2 - ratio**2 * sigma**2
        G, g = prior.denoiser(t)
        F = ratio * sigma**2 / sigma_t**2 * prior.eye + alpha * added / sigma_t**2 * G
        law = law.moved(F, alpha * added / sigma_t**2 * g, added * sigma**2 / sigma_t**2 * prior.eye)
    return law


def distance(one, other):
    return np.max(np.abs(one.mean - other.mean)) + np.max(np.abs(one.covariance - other.covariance))


@pytest.mark.parametrize("name", SDES)
def test_edited_normal_data_have_the_law_of_the_closed_form(x64, monkeypatch, name):
    sde, t0 = SDES[name]
    prior = Prior(sde, MEAN, COVARIANCE)
    edit, guide = SDEdit(sampler=sampler(6), t0=t0), jnp.asarray(GUIDE)
    found = Law(
        *affine_law(
            monkeypatch,
            lambda n: edit(jax.random.key(0), model(sde), jnp.broadcast_to(guide, (n, 2))),
        )
    )
    assert distance(found, steps(prior, t0, 6)) < 1e-6
    assert distance(found, steps(prior, 1.05 * t0, 6)) > 1e-2  # a planted mistake
    errors = [distance(steps(prior, t0, n), closed_form(prior, t0)) for n in (250, 500, 1000)]
    assert errors[-1] < 0.01
    np.testing.assert_allclose(np.array(errors[:-1]) / errors[1:], 2, atol=0.1)


def test_what_is_kept_stays_and_the_rest_agrees_with_the_data():
    """Kept exactly; with much noise first, the rest is nearer to its mean given what is kept."""
    sde = sdes.VP()
    mask = Mask(mask=np.array([True, False]))
    guide = jnp.broadcast_to(jnp.asarray(GUIDE, jnp.float32), (4000, 2))
    keep = Measurement(y=mask(guide[:1]), operator=mask, noise=GaussianNoise(std=0.0))
    edit = SDEdit(sampler=sampler(60), t0=0.7)
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
