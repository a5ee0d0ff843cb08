"""Restarts keep p_t, and take an error away at the rate that the paper states."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import arrays, denoisers, samplers, sdes
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")
MEAN, VARIANCE = 0.7, 1.8
FLOW = {"predictor": samplers.ExponentialRK4(), "grid": samplers.LogSNR(sigma_min=0.05), "n_steps": 40}


def model(sde):
    return denoisers.Gaussian(sde=sde, mean=jnp.array([MEAN]), covariance=jnp.array([[VARIANCE]]))


def restarts(repeats):
    interval = samplers.RestartInterval(low=0.3, high=2.0, n_steps=20, repeats=repeats)
    return samplers.Restart(**FLOW, intervals=(interval,))


@pytest.fixture
def one_noise(monkeypatch):
    """Row 0 never has noise, row 1 has one unit of it whenever it is drawn."""
    unit = jnp.array([[0.0], [1.0]])
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: unit)


@pytest.mark.parametrize(
    "sde", [sdes.VP(), sdes.VE(), sdes.RectifiedFlow()], ids=lambda sde: type(sde).__name__
)
def test_a_restart_keeps_the_law_and_contracts_errors(one_noise, sde):
    """Of a normal law: x = m + a (x - m) + b z with a^2 v + b^2 = v, where a < 1 shrinks errors."""
    t = jnp.asarray(0.8 * sde.T)
    begin = jnp.array([[0.4], [0.4]])
    plain, once, twice = (restarts(n)(jax.random.key(0), model(sde), (2, 1), x=begin, t=t) if n else
                          samplers.Restart(**FLOW)(jax.random.key(0), model(sde), (2, 1), x=begin, t=t)
                          for n in (0, 1, 2))  # fmt: skip
    last = sde.time_at_log_snr(-2 * jnp.log(jnp.asarray(0.05)))
    mean, variance = sde.alpha(last) * MEAN, sde.alpha(last) ** 2 * VARIANCE + sde.variance(last)
    a = (once[0, 0] - mean) / (plain[0, 0] - mean)
    b = once[1, 0] - once[0, 0]
    assert 0 < a < 0.9
    np.testing.assert_allclose(a**2 * variance + b**2, variance, rtol=1e-4)
    np.testing.assert_allclose(twice[0, 0] - mean, a * (once[0, 0] - mean), rtol=1e-6)


def test_times_go_up_and_evaluations_are_counted():
    sampler = samplers.Restart(
        predictor=samplers.ChurnedHeun(),
        intervals=(samplers.RestartInterval(low=0.1, high=1.0, n_steps=4, repeats=2),),
    )
    times, states = sampler.trajectory(jax.random.key(0), model(sdes.EDM()), (3, 1))
    assert np.sum(np.diff(times) > 0) == 2
    assert states.shape == (len(times), 3, 1)
    assert times[-1] == 0
    assert np.isfinite(states).all()
    assert sampler.evaluations == 2 * (18 + 8)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: samplers.RestartInterval(low=1.0, high=0.5), "RestartInterval.high"),
        (lambda: samplers.RestartInterval(low=0.1, high=0.5, repeats=0), "RestartInterval.repeats"),
    ],
)
def test_mistakes_are_told(build, words):
    with pytest.raises(InputError, match=words):
        build()


def test_an_interval_outside_the_grid_is_told():
    interval = samplers.RestartInterval(low=500.0, high=900.0)
    with pytest.raises(InputError, match=r"RestartInterval\.low"):
        samplers.Restart(predictor=samplers.DDIM(), intervals=(interval,))(
            jax.random.key(0), model(sdes.EDM()), (3, 1)
        )
