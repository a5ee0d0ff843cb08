"""Probabilities of integers: they sum to one where they are exact, to less where they are bounds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm
from two_pixels import MEAN, MODEL, PIXELS, SDE, STD, UNITS, Closed, masses

from score_sde import denoisers
from score_sde.dequantization import Continuous, Rescaled, UniformDequantization
from score_sde.divergence import ExactDivergence
from score_sde.errors import InputError
from score_sde.integrators import FixedStep, LogSNRNodes, RungeKutta4
from score_sde.likelihood import (
    DequantizedBound,
    DiffusionBound,
    ImportanceWeightedBound,
    LearntNoise,
    LevelBound,
    ProbabilityFlow,
    bits_per_dim,
)

pytestmark = pytest.mark.usefixtures("x64")
KEY = jax.random.key(0)


def means_of(method, keys=600):
    """The mean over keys of (nats, exp nats), and the standard error of the latter."""

    def one(key):
        return method(key, MODEL, jnp.asarray(PIXELS), UNITS).nats

    nats = jax.jit(jax.vmap(one))(jax.random.split(KEY, keys))
    return nats.mean(0), np.exp(nats).mean(0), np.exp(nats).std(0) / np.sqrt(keys)


def test_importance_weighting_rises_to_the_log_probability():
    """With 1, 4, 16, 64 points: higher each time at each image, never above log P, and nearly there.

    The weights' mean is P itself, for every number of points, so that all images together have the mass of
    the square [-1, 1]^2 (scipy's); a density 5 % too large is seen.
    """
    truth, gaps = np.log(masses()), []
    for draws in (1, 4, 16, 64):
        nats, probability, error = means_of(ImportanceWeightedBound(density=Closed(), draws=draws))
        gaps.append(truth - nats)
        total, spread = probability.sum(), np.sqrt(np.sum(error**2))
        assert abs(total - masses().sum()) < 4.5 * spread
    assert abs(1.05 * total - masses().sum()) > 4.5 * spread
    gaps = np.array(gaps)
    assert np.all(np.diff(gaps, axis=0) < 0)
    assert np.all(gaps[-1] > -5e-3)
    assert np.all(gaps[-1] < 0.1 * gaps[0])
    assert np.max(gaps[0]) > 0.2  # there was something to gain


def test_the_mean_is_a_bound_and_sums_to_less_than_one():
    nats, _, _ = means_of(DequantizedBound(density=Closed(), draws=4), keys=100)
    assert np.all(np.asarray(nats) < np.log(masses()) + 0.02)
    assert np.exp(nats).sum() < 0.95


def test_errors_over_draws_are_those_that_are_stated():
    for method in (ImportanceWeightedBound, DequantizedBound):
        run = method(density=Closed(), draws=64)
        keys = jax.random.split(KEY, 200)
        found = jax.jit(jax.vmap(lambda key, run=run: run(key, MODEL, jnp.asarray(PIXELS), UNITS)))(keys)
        np.testing.assert_allclose(np.sqrt(np.mean(found.stderr**2, 0)), found.nats.std(0), rtol=0.3)
    alone = DequantizedBound(density=Closed())(KEY, MODEL, jnp.asarray(PIXELS), UNITS)
    np.testing.assert_array_equal(alone.stderr, np.zeros(9))


def test_the_probability_flow_sums_to_one_over_all_levels():
    """One pixel of five levels; each cell's density integrated by 12 Gauss-Legendre nodes (numpy's)."""
    units = UniformDequantization(levels=5)
    model = denoisers.GaussianMixture.isotropic(sde=SDE, weights=[0.4, 0.6], means=[[-0.4], [0.3]], stds=0.15)
    nodes, weights = np.polynomial.legendre.leggauss(12)
    raw = np.repeat(np.arange(5), 12)[:, None]
    x = units.place(raw, jnp.tile(jnp.asarray((nodes + 1) / 2), 5)[:, None])
    solver = FixedStep(n_steps=60, method=RungeKutta4(), times=LogSNRNodes(sde=SDE))
    density = ProbabilityFlow(solver=solver, divergence=ExactDivergence(), t_min=1e-5)
    values = np.exp(np.asarray(density(KEY, model, x).nats)).reshape(5, 12)
    found = values @ weights / 2 * (2 / 5)
    edges = np.linspace(-1, 1, 6)
    cdf = 0.4 * norm.cdf(edges, -0.4, 0.15) + 0.6 * norm.cdf(edges, 0.3, 0.15)
    np.testing.assert_allclose(found, np.diff(cdf), atol=1e-4)
    assert found.sum() == pytest.approx(1, abs=2e-4)


def empirical(raw, units):
    """The exact denoiser of these images, equally likely: the process over a law on the levels themselves."""
    return denoisers.Empirical(sde=SDE, data=np.asarray(units.level_values)[np.asarray(raw)])


def test_the_bound_over_levels_is_the_probability_for_an_exact_denoiser():
    """One pixel, four levels of probability 1/8, 2/8, 3/8, 2/8: log P within 4.5 errors and 2e-3, sum one."""
    units, copies = Rescaled(levels=4), 1500
    model = empirical(np.repeat(np.arange(4), [1, 2, 3, 2])[:, None], units)
    raw = jnp.tile(jnp.arange(4), copies)[:, None]
    method = LevelBound(bound=DiffusionBound(times=64, draws=4, t_min=1e-3))
    found = jax.jit(lambda key: method(key, model, raw, units))(KEY)
    each = np.asarray(found.nats).reshape(copies, 4)
    nats, stderr = each.mean(0), each.std(0) / np.sqrt(copies)
    truth = np.log(np.array([1, 2, 3, 2]) / 8)
    np.testing.assert_array_less(np.abs(nats - truth), 4.5 * stderr + 2e-3)
    error = np.sqrt(np.sum(np.square(np.exp(truth) * stderr)))
    assert error < 0.007
    assert np.exp(nats).sum() == pytest.approx(1, abs=4.5 * error + 1e-3)
    assert float(jnp.max(found.parts["reconstruction"])) < 1e-6


def test_the_bound_over_levels_of_another_law_sums_to_less_than_one():
    """Two pixels; a denoiser that mixes two laws with weights that change in time belongs to no law."""
    units = Rescaled(levels=3)
    one, other = empirical([[0, 0], [1, 2], [2, 2]], units), empirical(PIXELS, units)

    class Torn(denoisers.Denoiser):
        def __call__(self, x, t, cond=None, *, key=None):
            share = jnp.broadcast_to(jnp.where(jnp.sin(40 * t) > 0, 1.0, 0.0), x.shape[:1])[:, None]
            return share * other(x, t) + (1 - share) * (0.5 * one(x, t) + 0.5 * other(x, t))

    method = LevelBound(bound=DiffusionBound(times=64, draws=100, t_min=1e-3))
    run = jax.jit(lambda model: method(KEY, model, jnp.asarray(PIXELS), units))
    exact, torn = run(other), run(Torn(sde=SDE))
    np.testing.assert_array_less(np.abs(exact.nats - np.log(1 / 9)), 4.5 * exact.stderr + 2e-3)
    assert np.exp(exact.nats).sum() == pytest.approx(1, abs=0.05)
    assert np.exp(torn.nats).sum() < 0.9


def test_units_and_bits():
    """Bits of Rescaled data are measured on cells; of real values they are densities in their own units."""
    raw = jnp.asarray(PIXELS)
    method = DequantizedBound(density=Closed(), draws=1)
    cells, points = (method(KEY, MODEL, raw, units) for units in (UNITS, Rescaled(levels=3)))
    np.testing.assert_allclose(cells.nats, points.nats, rtol=1e-12)
    log_density = cells.nats - 2 * UNITS.log_scale
    np.testing.assert_allclose(bits_per_dim(cells.nats, 2), UNITS.bits_per_dim(log_density, 2), rtol=1e-10)
    real = Continuous(low=-2.0, high=6.0)
    values = jnp.asarray([[1.0, 2.0], [3.0, -1.0]])
    found = method(KEY, MODEL, values, real).nats
    law = norm(2 + 4 * MEAN, 4 * STD)  # of the raw values
    np.testing.assert_allclose(found, law.logpdf(values).sum(1), rtol=1e-8)


def test_mistakes_say_what_to_use():
    values = jnp.asarray([[1.0, 2.0]])
    with pytest.raises(InputError, match=r"expected integer levels.*take DequantizedBound"):
        LevelBound()(KEY, MODEL, values, Continuous(low=0.0, high=3.0))
    with pytest.raises(InputError, match=r"LearntNoise: model = 'Gaussian'.*or take UniformNoise"):
        DequantizedBound(density=Closed(), dequantizer=LearntNoise())(KEY, MODEL, values, UNITS)
    with pytest.raises(InputError, match=r"ImportanceWeightedBound\.draws = 0"):
        ImportanceWeightedBound(draws=0)
