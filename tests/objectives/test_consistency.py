"""Consistency losses at the true flow of a mixture, how gradients relate, and the published schedules."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf
from true_flows import MEAN, SPREAD, FlowToData, flowed_normal, mixture, normal

from score_sde import arrays, denoisers, objectives, sdes
from score_sde.objectives import Pair

pytestmark = pytest.mark.usefixtures("x64")
RATIO = 0.02  # smallest sigma / alpha
T_MIN = 1 / (1 + 1 / RATIO)  # its time in rectified flow


def distillation_loss(speed, intervals):
    """The mean loss on 32 points of a mixture, one in each part of the grid."""
    law = mixture(sdes.RectifiedFlow())
    model = FlowToData(sde=law.sde, law=law, t_min=T_MIN, speed=speed)
    times = objectives.KarrasPairs(sigma_min=RATIO, sigma_max=20.0, rho=3.0)
    loss = objectives.ConsistencyDistillation(teacher=law, times=times)
    x0, z = law.sample(jax.random.key(0), 32), jax.random.normal(jax.random.key(1), (32, 2))
    pair = times.at(law.sde, (jnp.arange(32) + 0.5) / 32, intervals)
    return jnp.mean(loss.at(model, x0, pair, z, target=model))


def test_distillation_is_zero_at_the_true_flow_and_not_at_one_that_is_5_percent_too_fast():
    """Zero but for the teacher's step: Heun's, whose error is of third order; the loss is its square."""
    coarse, true, fast = jax.jit(jax.vmap(distillation_loss))(
        jnp.array([1.0, 1.0, 1.05]), jnp.array([32, 64, 64])
    )
    assert true < 1e-8
    assert fast > 100 * true
    assert abs(np.log2(coarse / true) - 6) < 0.8


class Line(denoisers.Denoiser):
    """The consistency function of the normal law plus error * (t - t_min) * x: always right at t_min."""

    law: denoisers.Gaussian
    error: jax.Array

    def __call__(self, x, t, cond=None, *, key=None):
        there = flowed_normal(self.law, x, t, T_MIN) / self.law.sde.alpha(jnp.asarray(T_MIN))
        return there + self.error * arrays.expand(arrays.per_example(t, x) - T_MIN, x) * x


@functools.partial(jax.jit, static_argnums=0)
def gradient(kind, error, t, step):
    """d loss / d error, exact: x_0 = mean +- spread, z = +-1 integrate squares of what is affine in both."""
    law = normal(sdes.RectifiedFlow())
    x0 = jnp.array([MEAN - SPREAD, MEAN - SPREAD, MEAN + SPREAD, MEAN + SPREAD])[:, None]
    z = jnp.array([-1.0, 1.0, -1.0, 1.0])[:, None]
    pair = Pair(*(jnp.full(4, value) for value in (t, t - step, step)))
    parts = {"teacher": law} if kind is objectives.ConsistencyDistillation else {}
    loss = kind(**parts)

    def mean(error):
        model = Line(sde=law.sde, law=law, error=error)
        return jnp.mean(loss.at(model, x0, pair, z, target=model))

    return jax.grad(mean)(error)


def test_training_and_distillation_have_one_gradient_as_steps_shrink():
    """Theorem 2 of Song et al. 2023: the ratio goes to 1 with the first power of the step."""
    kinds = objectives.ConsistencyTraining, objectives.ConsistencyDistillation
    misses = []
    for step in (0.02, 0.01):
        trained, distilled = (gradient(kind, 0.3, 0.6, step) for kind in kinds)
        misses.append(trained / distilled - 1)
    assert abs(misses[1]) < 0.05
    assert abs(np.log2(misses[0] / misses[1]) - 1) < 0.15


def test_training_does_not_move_the_true_function():
    """Its gradient there is of second order in the step; that of a 5 % error of first."""
    kind = objectives.ConsistencyTraining
    true, wrong = (gradient(kind, error, 0.6, 1e-3) for error in (0.0, 0.05))
    assert abs(true) < 0.05 * abs(wrong)
    assert wrong > 0  # downhill is back


def test_outside_of_training_the_target_is_the_model_and_the_grid_the_last():
    law = normal(sdes.RectifiedFlow())
    model, key = Line(sde=law.sde, law=law, error=jnp.array(0.3)), jax.random.key(0)
    other = Line(sde=law.sde, law=law, error=jnp.array(0.0))
    loss = objectives.ConsistencyTraining(
        times=objectives.KarrasPairs(intervals=objectives.SquareRootIntervals(last=20, updates=100))
    )
    x0 = jnp.ones((3, 1))
    late, early = jnp.array(100), jnp.array(0)
    np.testing.assert_allclose(loss(key, model, x0), loss.at_update(late, model)(key, model, x0, None))
    assert not np.allclose(loss(key, model, x0), loss.at_update(early, model)(key, model, x0, None))
    assert not np.allclose(loss(key, model, x0), loss.at_update(late, other)(key, model, x0, None))
    own = loss.replace(target_model=objectives.OwnTarget())
    np.testing.assert_array_equal(own(key, model, x0), own.at_update(late, other)(key, model, x0, None))


def test_curricula_are_the_published_ones():
    """N(k) - 1 intervals: Song et al. 2023, appendix C, and Song and Dhariwal 2023, section 3.4."""
    total = 800
    root = objectives.SquareRootIntervals(updates=total)
    doubling = objectives.DoublingIntervals(updates=total)
    for k in (0, 1, 99, 100, 399, 700, 799):
        published = math.ceil(math.sqrt(k / total * (151**2 - 2**2) + 2**2) - 1) + 1
        assert int(root(jnp.array(k))) == published - 1
        each = math.floor(total / (math.log2(1280 // 10) + 1))
        assert int(doubling(jnp.array(k))) == min(10 * 2 ** (k // each), 1280)
    assert int(doubling(jnp.array(799))) == doubling.final == 1280
    assert int(root(jnp.array(10**6))) == root.final == 150


def test_pairs_are_neighbours_in_karras_grid():
    """Karras et al. 2022, eq. 5, with 9 intervals; sigma = t in EDM."""
    times = objectives.KarrasPairs(intervals=objectives.FixedIntervals(intervals=9))
    pair = times.at(sdes.EDM(), (jnp.arange(9) + 0.5) / 9, 9)
    root = 80 ** (1 / 7) + np.arange(10) / 9 * (0.002 ** (1 / 7) - 80 ** (1 / 7))
    nodes = (root**7)[::-1]
    np.testing.assert_allclose(pair.t, nodes[1:], rtol=1e-9)
    np.testing.assert_allclose(pair.s, nodes[:-1], rtol=1e-9)
    np.testing.assert_allclose(pair.gap, np.diff(nodes), rtol=1e-9)


@pytest.mark.parametrize("family", [sdes.VP, sdes.RectifiedFlow, sdes.VE])
def test_the_grid_ends_at_the_prior_whatever_the_sde(family):
    sde = family()
    pair = objectives.KarrasPairs(sigma_max=1e4).at(sde, jnp.array([0.0, 1 - 1e-9]), 17)
    assert pair.t[1] == sde.T
    assert 0 <= pair.s[0] < 1e-2
    assert np.all(np.isfinite(pair))


def test_log_normal_cells_have_the_published_chances():
    """Song and Dhariwal 2023, eq. 10, from 100,000 evenly spread shares of 20 cells."""
    nodes = (0.002 ** (1 / 7) + np.arange(21) / 20 * (80 ** (1 / 7) - 0.002 ** (1 / 7))) ** 7
    heights = erf((np.log(nodes) + 1.1) / (math.sqrt(2) * 2.0))
    chances = np.diff(heights) / (heights[-1] - heights[0])
    times = objectives.KarrasPairs(cells=objectives.LogNormalCells())
    pair = times.at(sdes.EDM(), (jnp.arange(100_000) + 0.5) / 100_000, 20)
    counts, _ = np.histogram(np.asarray(pair.s), np.append(nodes[:-1] * (1 - 1e-9), 80))
    np.testing.assert_allclose(counts / 100_000, chances, atol=2e-5)


def test_pseudo_huber_is_the_published_one():
    x, y = jnp.array([[3.0, 0.0, 0.0, 4.0], [1e-9, 0, 0, 0]]), jnp.zeros((2, 4))
    c = 0.00054 * 2
    expected = [math.sqrt(25 + c**2) - c, 1e-18 / (2 * c)]
    np.testing.assert_allclose(objectives.PseudoHuber()(x, y), expected, rtol=1e-6)
    assert np.all(np.isfinite(jax.grad(lambda x: jnp.sum(objectives.PseudoHuber()(x, y)))(y)))


def test_improved_training_weighs_by_the_gap():
    pair = Pair(jnp.ones(2), jnp.ones(2), jnp.array([0.5, 4.0]))
    np.testing.assert_allclose(objectives.ImprovedConsistencyTraining().weight(pair), [2.0, 0.25])
    np.testing.assert_allclose(objectives.ConsistencyTraining().weight(pair), [1.0, 1.0])
