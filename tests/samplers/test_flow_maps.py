"""Samplers of models that know the flow: with true ones, any number of steps has the right law."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from true_flows import MEAN, SPREAD, MeanVelocity, flowed_normal, normal

from score_sde import denoisers, samplers, sdes

pytestmark = pytest.mark.usefixtures("x64")
RATIO = 0.05


class Shortcut(denoisers.Denoiser):
    """The consistency function of the normal law, times ``factor`` about the mean."""

    law: denoisers.Gaussian
    t_min: jax.Array
    factor: float = 1.0

    def __call__(self, x, t, cond=None, *, key=None):
        there = flowed_normal(self.law, x, t, self.t_min) / self.sde.alpha(self.t_min)
        return MEAN + self.factor * (there - MEAN)


@jax.jit
def after(predictor, model, times):
    """Mean and variance at the last time, exactly: steps are affine in the state and the noise."""
    sde, n = model.sde, len(times) - 1
    x = jnp.zeros((n + 2, 1)).at[1].set(1.0)
    for i in range(n):
        noise = jnp.zeros((n + 2, 1)).at[i + 2].set(1.0)
        x = predictor.step(samplers.GivenNoise(values=noise), model, x, times[i], times[i + 1]).x
    offset, slope, noise = x[0, 0], x[1, 0] - x[0, 0], x[2:, 0] - x[0, 0]
    alpha, sigma = sde.alpha(times[0]), sde.sigma(times[0])
    variance = alpha**2 * SPREAD**2 + sigma**2
    return slope * alpha * MEAN + offset, slope**2 * variance + jnp.sum(noise**2)


@pytest.mark.parametrize("family", [sdes.VP, sdes.RectifiedFlow, sdes.EDM])
def test_consistency_steps_have_the_law_at_the_smallest_noise(family):
    """However many, on the sampler's own grid; 5 % too wide a function gives 10 % too much variance."""
    sde = family()
    for steps in (1, 3):
        times = samplers.Karras(sigma_min=RATIO)(sde, steps)
        model = Shortcut(sde=sde, law=normal(sde), t_min=times[-1])
        predictor = samplers.ConsistencyStep(sigma_min=RATIO)
        alpha, sigma = sde.alpha(times[-1]), sde.sigma(times[-1])
        wanted = alpha**2 * SPREAD**2 + sigma**2
        mean, variance = after(predictor, model, times)
        np.testing.assert_allclose(mean, alpha * MEAN, rtol=1e-6)
        np.testing.assert_allclose(variance, wanted, rtol=1e-6)
        _, wide = after(predictor, model.replace(factor=1.05), times)
        assert wide > 1.09 * wanted


def test_one_consistency_step_is_one_evaluation_of_noise():
    sde = sdes.RectifiedFlow()
    grid = samplers.Karras(sigma_min=RATIO)
    sampler = samplers.Sampler(predictor=samplers.ConsistencyStep(sigma_min=RATIO), grid=grid, n_steps=1)
    assert sampler.evaluations == 1
    model = Shortcut(sde=sde, law=normal(sde), t_min=grid(sde, 1)[-1])
    x = jnp.array([[0.3], [-1.0]])
    found = sampler(jax.random.key(0), model, (2, 1), x=x)
    expected = sde.alpha(model.t_min) * model(x, jnp.asarray(1.0))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("family", [sdes.VP, sdes.RectifiedFlow])
def test_a_mean_flow_step_of_any_length_is_exact(family):
    law = normal(family())
    model = MeanVelocity(sde=law.sde, law=law, flow=flowed_normal)
    x = jnp.array([[0.3], [-1.0]])
    for times in ([1.0, 0.0], [1.0, 0.6, 0.1, 0.0]):
        grid = samplers.UserGrid(times=jnp.array(times))
        sampler = samplers.Sampler(predictor=samplers.MeanFlowStep(), grid=grid, n_steps=len(times) - 1)
        found = sampler(jax.random.key(0), model, (2, 1), x=x)
        np.testing.assert_allclose(found, flowed_normal(law, x, 1.0, 0.0), rtol=1e-9)
        fast = sampler(jax.random.key(0), model.replace(speed=1.05), (2, 1), x=x)
        assert np.all(np.abs(fast - found) > 1e-3)


def test_a_model_that_is_told_nothing_takes_euler_steps():
    law = normal(sdes.RectifiedFlow())
    x, t, s = jnp.array([[0.3], [-1.0]]), jnp.array(0.8), jnp.array(0.5)
    mine, euler = (
        predictor.step(jax.random.key(0), law, x, t, s).x
        for predictor in (samplers.MeanFlowStep(), samplers.ProbabilityFlowEuler())
    )
    np.testing.assert_allclose(mine, euler, rtol=1e-12)
