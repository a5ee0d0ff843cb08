"""A process that is not in the package: simulated, learnt by sliced score matching, sampled, and scored."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.stats
from user_sde import LogisticDiffusion

from score_sde import denoisers, objectives, samplers, sdes
from score_sde.divergence import ExactDivergence
from score_sde.integrators.fixed import FixedStep
from score_sde.integrators.methods import RungeKutta4
from score_sde.likelihood import log_likelihood

SDE, WIDTH, T_MIN = LogisticDiffusion(T=12.0), 64, 1e-3
DATA = scipy.stats.norm(1.0, 0.5)


def standard_errors(x, mean, std):
    n = len(x)
    return max(abs(x.mean() - mean) / (std / np.sqrt(n)), abs(x.var() / std**2 - 1) / np.sqrt(2 / n))


@pytest.mark.usefixtures("x64")
def test_simulated_paths_have_the_moments_of_euler_maruyama():
    """Mean and variance of 40,000 paths against the exact recursion; 5 % more would be 10 errors away."""
    sde, t, n = sdes.VP(), 0.3, 20
    mean, variance = 1.0, 0.0
    for i in range(n):
        beta, h = 0.1 + 19.9 * i * t / n, t / n
        mean, variance = (1 - beta * h / 2) * mean, (1 - beta * h / 2) ** 2 * variance + beta * h
    path = objectives.SimulatedPath(n_steps=n)
    x = np.asarray(path(jax.random.key(0), sde, jnp.ones((40_000, 1)), jnp.full(40_000, t)))[:, 0]
    assert standard_errors(x, mean, np.sqrt(variance)) < 4.5
    assert standard_errors(1.05 * x, mean, np.sqrt(variance)) > 4.5


@pytest.mark.usefixtures("x64")
def test_simulated_paths_stay_in_the_stationary_law():
    """Started in the logistic law they keep it (Kolmogorov-Smirnov), each example at its own time."""
    key = jax.random.key(1)
    x0 = SDE.prior((4000, 1)).sample(key)
    x = objectives.SimulatedPath(n_steps=100)(key, SDE, x0, jnp.linspace(0.0, 5.0, 4000))
    assert scipy.stats.kstest(np.asarray(x[:, 0]), "logistic").pvalue > 1e-3
    assert scipy.stats.kstest(np.asarray(x[:, 0]) + 0.15, "logistic").pvalue < 1e-3


def network(params, x, labels, cond=None, key=None):
    """The stationary score plus a learnt part that fades as the process forgets its start."""
    h = jnp.concatenate([x, 0.5 * jnp.log(labels + T_MIN)[:, None], jnp.exp(-12 * labels)[:, None]], 1)
    for weight, bias in params[:-1]:
        h = jax.nn.silu(h @ weight + bias)
    weight, bias = params[-1]
    return jnp.exp(-3 * labels)[:, None] * (h @ weight + bias) - jnp.tanh(x / 2)


def as_model(params):
    return denoisers.ScoreNetwork(
        network=jax.tree_util.Partial(network, params), sde=SDE, labels=denoisers.TimeLabels(scale=1.0)
    )


def first_params(key):
    first, second = jax.random.split(key)
    return [
        (jax.random.normal(first, (3, WIDTH)), jnp.zeros(WIDTH)),
        (jax.random.normal(second, (WIDTH, WIDTH)) / WIDTH**0.5, jnp.zeros(WIDTH)),
        (jnp.zeros((WIDTH, 1)), jnp.zeros(1)),
    ]


OBJECTIVE = objectives.SlicedScoreMatching(
    times=objectives.LogitNormal(mean=-2.5, std=1.8, batch=objectives.Stratified()),
    weight=objectives.Unweighted(),
    perturbation=objectives.SimulatedPath(n_steps=30),
)


@functools.partial(jax.jit, static_argnames="steps")
def train(key, steps):
    """Plain optax, one scan."""
    optimizer = optax.adam(optax.cosine_decay_schedule(5e-3, steps))

    def loss(params, key):
        data_key, loss_key = jax.random.split(key)
        x0 = 1.0 + 0.5 * jax.random.normal(data_key, (1024, 1))
        return jnp.mean(OBJECTIVE(loss_key, as_model(params), x0))

    def step(state, key):
        params, moments = state
        updates, moments = optimizer.update(jax.grad(loss)(params, key), moments)
        return (optax.apply_updates(params, updates), moments), None

    params = first_params(key)
    keys = jax.random.split(jax.random.fold_in(key, 1), steps)
    return jax.lax.scan(step, (params, optimizer.init(params)), keys)[0][0]


@pytest.fixture(scope="module")
def trained():
    return as_model(train(jax.random.key(0), 1000))


def matches_data(x):
    return (
        abs(x.mean() - 1.0) < 0.05 and abs(x.std() - 0.5) < 0.03 and scipy.stats.kstest(x, DATA.cdf)[0] < 0.03
    )


def test_samples_of_the_learnt_model_follow_the_data(trained):
    """Mean, standard deviation and Kolmogorov-Smirnov distance; 10 % wrong, or untrained, would fail."""
    times = T_MIN + (SDE.T - T_MIN) * jnp.linspace(1, 0, 201) ** 3
    sampler = samplers.Sampler(
        predictor=samplers.EulerMaruyama(), n_steps=200, grid=samplers.UserGrid(times=times)
    )
    x = np.asarray(sampler(jax.random.key(1), trained, (5000, 1)))[:, 0]
    assert matches_data(x)
    assert not matches_data(1.1 * x)
    untrained = as_model(first_params(jax.random.key(0)))
    assert not matches_data(np.asarray(sampler(jax.random.key(1), untrained, (5000, 1)))[:, 0])


def test_density_of_the_learnt_model(trained):
    """It integrates to one, and codes the data within 0.15 nats of its entropy; the prior is far from it."""
    x = np.linspace(-10, 12, 2001)
    solve = FixedStep(n_steps=300, method=RungeKutta4())
    nats, _ = log_likelihood(
        trained,
        jnp.asarray(x)[:, None],
        jax.random.key(0),
        solver=solve,
        divergence=ExactDivergence(),
        t_min=T_MIN,
    )
    nats = np.asarray(nats, float)
    np.testing.assert_allclose(np.trapezoid(np.exp(nats), x), 1, atol=2e-3)
    gap = np.trapezoid(DATA.pdf(x) * (DATA.logpdf(x) - nats), x)  # Kullback-Leibler divergence, >= 0
    assert -1e-3 < gap < 0.15
    prior_gap = np.trapezoid(DATA.pdf(x) * (DATA.logpdf(x) - scipy.stats.logistic.logpdf(x)), x)
    assert prior_gap > 5 * 0.15
