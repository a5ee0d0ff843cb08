"""Samples of an exact mixture follow its law; a bias of 5 % in the sampler would be seen."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from score_sde import denoisers, samplers, sdes
from score_sde.integrators import FixedStep

N = 20_000
WEIGHTS, MEANS, STDS = np.array([0.3, 0.7]), np.array([-1.0, 1.0]), np.array([0.2, 0.35])
GRID = samplers.Karras(sigma_min=0.01, rho=5.0)


@pytest.fixture(scope="module")
def model():
    return denoisers.GaussianMixture.isotropic(
        sde=sdes.VP(), weights=WEIGHTS, means=MEANS[:, None], stds=STDS
    )


def kolmogorov_smirnov(x):
    """Against the mixture's own distribution function."""

    def cdf(values):
        return stats.norm.cdf((values[:, None] - MEANS) / STDS) @ WEIGHTS

    return stats.kstest(np.asarray(x, dtype=np.float64).ravel(), cdf)


class Loud(samplers.Predictor):
    """Planted: 5 % more noise."""

    inner: samplers.Predictor

    def step(self, key, model, x, t, s, memory=(), cond=None):
        step = self.inner.step(key, model, x, t, s, memory, cond)
        return step._replace(x=step.mean + 1.05 * (step.x - step.mean))


class Long(samplers.Predictor):
    """Planted: steps 5 % too long."""

    inner: samplers.Predictor

    def step(self, key, model, x, t, s, memory=(), cond=None):
        longer = x + 1.05 * (self.inner.step(key, model, x, t, s, memory, cond).x - x)
        return samplers.Step(longer, longer, memory)


def test_random_samples_are_right_and_noise_that_is_five_percent_too_loud_is_seen(model):
    for predictor, right in [(samplers.EulerMaruyama(), True), (Loud(inner=samplers.EulerMaruyama()), False)]:
        sampler = samplers.Sampler(predictor=predictor, grid=GRID, n_steps=250)
        p = kolmogorov_smirnov(sampler(jax.random.key(0), model, (N, 1))).pvalue
        assert p > 0.01 if right else p < 1e-3


def test_the_flow_is_right_and_steps_that_are_five_percent_too_long_are_seen(model):
    """It is deterministic: fed with the prior's quantiles it gives the data's, with no sampling error."""
    x = jnp.asarray(stats.norm.ppf((np.arange(2000) + 0.5) / 2000), dtype=jnp.float32)[:, None]
    heun = samplers.ProbabilityFlowHeun()
    for predictor, right in [(heun, True), (Long(inner=heun), False)]:
        sampler = samplers.Sampler(predictor=predictor, grid=GRID, n_steps=48)
        distance = kolmogorov_smirnov(sampler(jax.random.key(0), model, x.shape, x=x)).statistic
        assert distance < 0.004 if right else distance > 0.01


def test_correctors_alone_reach_the_data(model):
    """Annealed Metropolis-adjusted Langevin sampling, with no predictor at all."""
    sampler = samplers.Sampler(
        predictor=samplers.NoPredictor(),
        corrector=samplers.MetropolisAdjustedLangevin(snr=0.7, nodes=3),
        grid=samplers.Karras(sigma_min=0.1, rho=5.0),
        n_steps=30,
        corrector_steps=8,
        order=samplers.PredictorFirst(),
        final=samplers.KeepSample(),
    )
    x = sampler(jax.random.key(0), model, (N, 1))
    t = sampler.times(model.sde, (N, 1))[-1]
    std = np.sqrt(model.sde.alpha(t) ** 2 * STDS**2 + model.sde.variance(t))
    cdf = lambda v: stats.norm.cdf((v[:, None] - float(model.sde.alpha(t)) * MEANS) / std) @ WEIGHTS  # noqa: E731
    assert stats.kstest(np.asarray(x, dtype=np.float64).ravel(), cdf).pvalue > 0.01


class TestProbabilityFlowODE:
    ode = samplers.ProbabilityFlowODE(t_min=1e-4)

    def test_samples_follow_the_law_and_encoding_is_the_way_back(self, model):
        key, shape = jax.random.key(0), (1000, 1)
        begin = jax.random.normal(jax.random.key(2), shape)
        solved = self.ode.solve(key, model, shape, x=begin, t=1.0)
        assert kolmogorov_smirnov(solved.y).pvalue > 0.01
        assert solved.evaluations.shape == (1000,)
        assert np.ptp(solved.evaluations) > 0
        latent = self.ode.encode(model, solved.y)
        again = self.ode(key, model, shape, x=latent.y, t=1.0)
        assert np.mean(np.abs(again - solved.y)) < 5e-4
        assert np.mean(np.abs(latent.y - begin)) < 5e-4

    def test_any_integrator_serves_and_the_final_step_is_counted(self, model):
        x = jnp.linspace(-2, 2, 8)[:, None]
        fixed = samplers.ProbabilityFlowODE(
            integrator=FixedStep(n_steps=400), t_min=1e-2, final=samplers.Denoise()
        )
        adaptive = self.ode.replace(t_min=1e-2, final=samplers.Denoise())
        one, other = (ode.solve(jax.random.key(0), model, x.shape, x=x, t=1.0) for ode in (fixed, adaptive))
        np.testing.assert_allclose(one.y, other.y, atol=1e-3)
        np.testing.assert_array_equal(one.evaluations, 801)

    def test_conditions_travel_with_their_example(self):
        class Point(denoisers.Denoiser):
            """x_0 is the condition."""

            def __call__(self, x, t, cond=None, *, key=None):
                return jnp.broadcast_to(cond[:, None], x.shape)

        cond = jnp.array([1.0, 2.0, 3.0])
        x = samplers.ProbabilityFlowODE(t_min=1e-3)(
            jax.random.key(0), Point(sde=sdes.RectifiedFlow()), (3, 2), cond, t=0.9, x=jnp.ones((3, 2))
        )
        np.testing.assert_allclose(x, np.broadcast_to(cond[:, None], (3, 2)), atol=5e-3)
