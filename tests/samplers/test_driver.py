import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, samplers, sdes
from score_sde.errors import InputError
from score_sde.samplers import driver

SHAPE = (3, 2)
KEY = jax.random.key(0)


class Add(samplers.Predictor):
    """x + 1, with the mean x + 0.5 and the steps counted in the memory."""

    def init(self, model, x, t):
        return jnp.zeros((), jnp.int32)

    def step(self, key, model, x, t, s, memory=(), cond=None):
        return samplers.Step(x + 1, x + 0.5, memory + 1)


class Double(samplers.Corrector):
    def step(self, key, model, x, t, cond=None):
        return 2 * x


class WriteTime(samplers.Corrector):
    def step(self, key, model, x, t, cond=None):
        return jnp.full_like(x, t)


@pytest.fixture(scope="module")
def model():
    return denoisers.Gaussian(sde=sdes.VP(), mean=jnp.array([1.0, -1.0]), covariance=0.5 * jnp.eye(2))


def test_the_orders_of_predictor_and_corrector(model):
    """From x = 1, two steps: 2 (2 x + 1) + 1 = 7 corrected first, 2 (2 (x + 1) + 1) = 10 predicted first."""
    x = jnp.ones(SHAPE)
    for order, state, mean in [
        (samplers.CorrectorFirst(), 7.0, 6.5),
        (samplers.PredictorFirst(), 10.0, 4.5),
    ]:
        for final, expected in [(samplers.KeepSample(), state), (samplers.KeepMean(), mean)]:
            sampler = samplers.Sampler(
                predictor=Add(), corrector=Double(), n_steps=2, order=order, final=final
            )
            np.testing.assert_array_equal(sampler(KEY, model, SHAPE, x=x), expected)


def test_correctors_work_at_their_order_s_time(model):
    grid = samplers.UserGrid(times=[1.0, 0.5, 0.25])
    for order, expected in [(samplers.CorrectorFirst(), 0.5), (samplers.PredictorFirst(), 0.25)]:
        sampler = samplers.Sampler(
            predictor=samplers.NoPredictor(), corrector=WriteTime(), grid=grid, n_steps=2, order=order,
            final=samplers.KeepSample(),
        )  # fmt: skip
        np.testing.assert_array_equal(sampler(KEY, model, SHAPE), expected)


@pytest.mark.parametrize("times", [0, 1, 3])
def test_any_number_of_corrector_steps(model, times):
    sampler = samplers.Sampler(predictor=Add(), corrector=Double(), n_steps=1, corrector_steps=times)
    np.testing.assert_array_equal(sampler(KEY, model, SHAPE, x=jnp.ones(SHAPE)), 2**times + 0.5)
    assert sampler.evaluations == 1 + times


def test_the_trajectory_goes_from_the_start_to_the_sample(model):
    sampler = samplers.Sampler(predictor=samplers.Ancestral(), n_steps=5, final=samplers.Denoise())
    times, states = sampler.trajectory(KEY, model, SHAPE)
    np.testing.assert_allclose(times, np.linspace(1, 1e-3, 6), rtol=1e-5)
    assert states.shape == (6, *SHAPE)
    np.testing.assert_allclose(states[-1], sampler(KEY, model, SHAPE), rtol=1e-6)
    x = jnp.ones(SHAPE)
    times, states = sampler.trajectory(KEY, model, SHAPE, x=x, t=0.4)
    np.testing.assert_allclose(times, np.linspace(0.4, 1e-3, 6), rtol=1e-5)
    np.testing.assert_array_equal(states[0], x)


def test_a_warm_start_of_the_flow_goes_where_the_flow_goes(model):
    """x_s = alpha_s m + (x_t - alpha_t m) sqrt(v_s / v_t), v = 0.5 alpha^2 + sigma^2."""
    sampler = samplers.Sampler(
        predictor=samplers.ProbabilityFlowHeun(), grid=samplers.Uniform(t_min=0.1), n_steps=64
    )
    x, sde = jax.random.normal(KEY, SHAPE), model.sde
    found = sampler(KEY, model, SHAPE, x=x, t=0.5)
    variance = [0.5 * sde.alpha(t) ** 2 + sde.variance(t) for t in (0.1, 0.5)]
    scaled = (x - sde.alpha(0.5) * model.mean) * np.sqrt(variance[0] / variance[1])
    np.testing.assert_allclose(found, sde.alpha(0.1) * model.mean + scaled, atol=1e-4)


class Toward(denoisers.Denoiser):
    """The condition is what x_0 is, and the calls are counted while tracing."""

    def __call__(self, x, t, cond=None, *, key=None):
        TRACES.append(None)
        return jnp.broadcast_to(cond[:, None], x.shape)


TRACES: list[None] = []


def test_conditions_reach_their_examples():
    cond = jnp.array([1.0, 2.0, 3.0])
    sampler = samplers.Sampler(
        predictor=samplers.Ancestral(),
        corrector=samplers.Langevin(),
        grid=samplers.Uniform(t_min=0.0),
        n_steps=4,
    )
    found = sampler(KEY, Toward(sde=sdes.VP()), SHAPE, cond)
    np.testing.assert_allclose(found, np.broadcast_to(cond[:, None], SHAPE), rtol=1e-5)


def test_another_key_does_not_trace_again_and_the_steps_are_one_scan(model):
    sampler = samplers.Sampler(predictor=samplers.EulerMaruyama(), corrector=samplers.Langevin(), n_steps=7)
    cond = jnp.ones(3)
    first = sampler(KEY, Toward(sde=sdes.VP()), SHAPE, cond)
    traced = len(TRACES)
    other = samplers.Sampler(
        predictor=samplers.EulerMaruyama(churn=0.9), corrector=samplers.Langevin(snr=0.2), n_steps=7
    )
    second = other(jax.random.key(1), Toward(sde=sdes.VP(beta_max=18.0)), SHAPE, cond)
    assert len(TRACES) == traced  # constants of every part are arguments of the compiled sampler too
    assert not np.allclose(first, second)

    times = sampler.times(model.sde, SHAPE)
    run = functools.partial(driver._run, record=driver._forget)
    jaxpr = jax.make_jaxpr(lambda key: run(sampler, key, model, times, SHAPE, None, None))(KEY)
    inside = jaxpr.eqns[0].params["jaxpr"].eqns
    assert sum(equation.primitive.name in ("scan", "while") for equation in inside) == 1


PREDICTORS = [
    samplers.Ancestral(), samplers.EulerMaruyama(), samplers.NoPredictor(), samplers.ProbabilityFlowEuler(),
    samplers.ProbabilityFlowHeun(), samplers.ReverseDiffusion(),
    samplers.OriginalReverseDiffusion(discretization=samplers.DDPMDiscretization(N=2)),
]  # fmt: skip
CORRECTORS = [
    samplers.NoCorrector(), samplers.Langevin(), samplers.AnnealedLangevin(),
    samplers.MetropolisAdjustedLangevin(nodes=5), samplers.OriginalLangevin(),
]  # fmt: skip


def test_the_number_of_evaluations_is_the_number_of_calls():
    model, cond = Toward(sde=sdes.VP()), jnp.ones(3)
    pairs = list(itertools.zip_longest(PREDICTORS, CORRECTORS, fillvalue=CORRECTORS[0]))
    finals = itertools.cycle([samplers.KeepMean(), samplers.Denoise()])
    for (predictor, corrector), final in zip(pairs, finals, strict=False):
        sampler = samplers.Sampler(
            predictor=predictor, corrector=corrector, n_steps=2, corrector_steps=2, final=final
        )
        TRACES.clear()
        with jax.disable_jit():
            sampler(KEY, model, SHAPE, cond)
        assert len(TRACES) == sampler.evaluations, (predictor, corrector)


def test_a_state_in_another_precision_keeps_it(model):
    with jax.enable_x64(True):
        sampler = samplers.Sampler(predictor=samplers.Ancestral(), corrector=samplers.Langevin(), n_steps=2)
        for dtype in (jnp.float32, jnp.bfloat16):
            assert sampler(KEY, model, SHAPE, x=jnp.ones(SHAPE, dtype)).dtype == dtype


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda m: samplers.Sampler(predictor=Add(), n_steps=0), r"Sampler\.n_steps = 0"),
        (lambda m: samplers.Sampler(predictor=Add(), n_steps=2.0), r"Sampler\.n_steps = 2\.0"),
        (lambda m: samplers.Sampler(predictor=Add(), corrector_steps=-1), r"Sampler\.corrector_steps = -1"),
        (lambda m: samplers.Sampler(predictor=Add())(KEY, m, SHAPE, t=0.5), r"Sampler\.t = 0\.5"),
        (
            lambda m: samplers.Sampler(predictor=Add())(KEY, m, SHAPE, x=jnp.ones((4, 2))),
            r"Sampler\.x = \(4, 2\)",
        ),
        (
            lambda m: samplers.Sampler(predictor=Add(), n_steps=3)(KEY, m, SHAPE, x=jnp.ones(SHAPE), t=1e-4),
            r"Sampler\.grid, Uniform,",
        ),
        (lambda m: samplers.EulerMaruyama(churn=-1.0), r"EulerMaruyama\.churn = -1"),
        (lambda m: samplers.Langevin(snr=0.0), r"Langevin\.snr = 0"),
        (lambda m: samplers.MetropolisAdjustedLangevin(nodes=1), r"MetropolisAdjustedLangevin\.nodes = 1"),
    ],
)
def test_mistakes_are_named(model, build, message):
    with pytest.raises(InputError, match=message):
        build(model)
