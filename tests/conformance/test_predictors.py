"""Laws of every predictor: consistent with the reverse family, of its nominal order, finite at the ends.

The target is Gaussian, so that each step is affine in the state and the noise: its moments are found by
probing it with unit noise, and nothing here is a Monte Carlo estimate.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walk import concrete_subclasses

from score_sde import arrays, denoisers, samplers, sdes

pytestmark = pytest.mark.usefixtures("x64")

MEAN, VARIANCE = 0.7, 1.8
PREDICTORS = [
    cls()
    for cls in concrete_subclasses(samplers.Predictor, under="score_sde.samplers")
    if ".samplers.original." not in cls.__module__  # their steps have the length 1 / N, whatever s is
]
CHURNED = samplers.EulerMaruyama(churn=0.5)
VARIANTS = [
    *[samplers.ExponentialMultistep(terms=terms) for terms in (1, 2, 4)],
    *[samplers.DEIS(terms=terms) for terms in (1, 2, 4)],
    *[samplers.AdamsBashforth(terms=terms) for terms in (1, 2, 4)],
    *[
        samplers.UniPC(terms=terms, size=size)
        for terms in (1, 2, 3)
        for size in (samplers.B1(), samplers.B2())
    ],
    *[samplers.SASolver(terms=2, corrector_terms=count, churn=0.0) for count in (0, 1, 3)],
    samplers.DPMSolverPP2S(r=0.8),
    samplers.DPMSolverPP2M(churn=1.0),
]
MOVING = [predictor for predictor in [*PREDICTORS, CHURNED] if predictor.order > 0]
SDES = [cls() for cls in concrete_subclasses(sdes.GaussianSDE, under="score_sde.sdes")]


def name(part):
    return type(part).__name__


def exact(sde):
    return denoisers.Gaussian(sde=sde, mean=jnp.array([MEAN]), covariance=jnp.array([[VARIANCE]]))


def moments(sde, t):
    """Mean and variance of x_t."""
    return sde.alpha(t) * MEAN, sde.alpha(t) ** 2 * VARIANCE + sde.variance(t)


@pytest.fixture
def unit_noise(monkeypatch):
    """The noise is what is given as the key."""
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: jnp.broadcast_to(key, x.shape))


@pytest.mark.parametrize("sde", SDES, ids=name)
def test_small_steps_follow_the_reverse_family(unit_noise, sde):
    """(E[x_s] - x_t) / (s - t) -> f - (1 + c^2) g^2 score / 2, Var / (t - s) -> c^2 g^2, one c for both."""
    model, t, h = exact(sde), jnp.array(0.6 * sde.T), 1e-7 * sde.T
    x = jnp.array([[0.3], [-2.0]])
    for predictor in MOVING:
        step = predictor.step(jnp.array(1.0), model, x, t, t - h, predictor.init(model, x, t))
        variance = jnp.square(step.x - step.mean) / h
        churn2 = variance[0, 0] / sde.squared_diffusion(t)
        np.testing.assert_allclose(variance, variance[0, 0], rtol=1e-6)
        expected = model.reverse_drift(x, t, churn=jnp.sqrt(churn2))
        np.testing.assert_allclose((step.mean - x) / -h, expected, rtol=1e-4, err_msg=name(predictor))
        if predictor is CHURNED:
            np.testing.assert_allclose(churn2, 0.25, rtol=1e-4)
        else:
            assert min(abs(churn2), abs(churn2 - 1)) < 1e-4


def error_after(predictor, model, times):
    """Of mean and variance at the last time, from exact moments at the first, by unit impulses.

    Row 0 starts from 0 and row 1 from 1, without noise; row 2 + i starts from 0 and is given one unit of
    noise at step i. Memory is carried along, so this holds for multi-step predictors too: of those, whose
    first steps are of lower order, the first order - 1 are put on the exact flow.
    """
    n = len(times) - 1
    x = jnp.zeros((n + 2, 1)).at[1].set(1.0)
    impulses = jnp.eye(n + 2)[2:, :, None]

    def advance(carry, interval):
        x, memory = carry
        number, impulse, t, s = interval
        step = predictor.step(impulse, model, x, t, s, memory)
        (mean, variance), (mean_s, variance_s) = moments(model.sde, t), moments(model.sde, s)
        flow = mean_s + jnp.sqrt(variance_s / variance) * (x - mean)
        return (jnp.where(number < predictor.order - 1, flow, step.x), step.memory), None

    carry = x, predictor.init(model, x, times[0])
    (x, _), _ = jax.lax.scan(advance, carry, (jnp.arange(n), impulses, times[:-1], times[1:]))
    offset, slope, noise = x[0, 0], x[1, 0] - x[0, 0], x[2:, 0] - x[0, 0]
    mean, variance = moments(model.sde, times[0])
    wanted_mean, wanted_variance = moments(model.sde, times[-1])
    mean_error = (slope * mean + offset - wanted_mean) / jnp.sqrt(wanted_variance)
    variance_error = (slope**2 * variance + jnp.sum(noise**2)) / wanted_variance - 1
    return jnp.hypot(mean_error, variance_error)


def steps(predictor):
    """Many of a stochastic Adams method, whose error of second order has a small constant."""
    return (1024, 2048) if getattr(predictor, "corrector_terms", 0) and predictor.churn > 0 else (128, 256)


@pytest.mark.parametrize(
    ("sde", "predictors"),
    [(sdes.VP(), MOVING), (sdes.RectifiedFlow(), [*MOVING, *VARIANTS]), (sdes.Cosine(), VARIANTS)],
    ids=["VP", "RectifiedFlow", "Cosine"],
)
def test_the_measured_order_is_the_nominal_one(unit_noise, sde, predictors):
    model = exact(sde)

    @jax.jit
    def errors(model):
        def error(predictor, n):
            return error_after(predictor, model, jnp.linspace(0.8, 0.1, n + 1))

        return [[error(predictor, n) for n in steps(predictor)] for predictor in predictors]

    for predictor, (coarse, fine) in zip(predictors, errors(model), strict=True):
        assert abs(np.log2(coarse / fine) - predictor.order) < 0.15, (predictor, coarse, fine)


@pytest.mark.parametrize("sde", SDES, ids=name)
def test_steps_from_pure_noise_and_to_pure_data(unit_noise, sde):
    """Where alpha(T) = 0, x_s is independent of x_T if any noise is added; where sigma(0) = 0, x_0 exists."""
    model, T = exact(sde), jnp.array(float(sde.T))
    s, x = 0.7 * T, jnp.array([[0.5], [-1.0]])
    for predictor in [*PREDICTORS, CHURNED]:
        memory = predictor.init(model, x, T)
        first = predictor.step(jnp.array(1.0), model, x, T, s, memory)
        last = predictor.step(jnp.array(1.0), model, x, s, jnp.array(0.0), memory)
        assert np.all(np.isfinite([*first[:2], *last[:2]])), name(predictor)
        random = not np.allclose(first.x, first.mean)
        if sde.alpha(T) == 0 and random:
            np.testing.assert_allclose(first.mean, sde.alpha(s) * MEAN, rtol=1e-9)
            np.testing.assert_allclose(first.x - first.mean, sde.sigma(s), rtol=1e-9)


def test_gradients_through_the_ends_are_finite():
    """No infinite coefficient enters even with weight zero."""
    for sde in (sdes.RectifiedFlow(), sdes.EDM()):
        model = exact(sde)
        times = [jnp.array(sde.T), jnp.array(0.5 * sde.T), jnp.array(0.0)]
        for predictor in PREDICTORS:

            def run(x, predictor=predictor, model=model, times=times):
                for t, s in itertools.pairwise(times):
                    x = predictor.step(jax.random.key(0), model, x, t, s, predictor.init(model, x, t)).x
                return jnp.sum(x)

            assert np.all(np.isfinite(jax.grad(run)(jnp.ones((2, 1))))), (predictor, sde)
