"""An objective may know the update and the averaged model; training goes on exactly as it did otherwise."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_problem import Denoise, problem

from score_sde.objectives.base import Objective

KEY = jax.random.key(3)


class Watching(Objective):
    """Ten times the update, plus the squared distance of the model's bias-like sum from the average's."""

    def __call__(self, key, model, x0, cond=None):
        return self.loss(key, model, x0, cond, count=jnp.array(0), average=model)

    def at_update(self, count, average):
        return functools.partial(self.loss, count=count, average=average)

    def loss(self, key, model, x0, cond, *, count, average):
        own, other = (each(x0, cond, key=key) for each in (model, average))
        return 10.0 * count + jnp.mean(jnp.square(own - jax.lax.stop_gradient(other) - 0.1), axis=(1, 2, 3))


@pytest.fixture(scope="module")
def watched():
    """The compiled step, the batches, and what four updates gave: states and metrics."""
    step, state, batches = problem(objective=Watching())
    step, after = jax.jit(step), [(state, {})]
    for number in range(4):
        after.append(step(KEY, after[-1][0], batches[number]))
    return step, batches, after


def test_the_update_and_the_average_are_those_of_the_state(watched):
    """At first the average is the model; later it lags behind, and what the loss says is what they give."""
    _, _, after = watched
    losses = [float(metrics["loss"]) - 10 * number for number, (_, metrics) in enumerate(after[1:])]
    np.testing.assert_allclose(losses[0], 0.01, rtol=1e-5)
    assert all(abs(loss - 0.01) < 0.01 for loss in losses)
    assert losses[2] != losses[0]


class Plain(Denoise):
    """The same loss with the interface spelled out."""

    def at_update(self, count, average):
        del count, average
        return lambda key, model, x0, cond: self(key, model, x0, cond)


def test_an_objective_that_does_not_look_is_the_same_program_as_before():
    """And one that looks is not."""
    programs = []
    for objective in (Denoise(), Plain(), Watching()):
        step, state, batches = problem(objective=objective)
        programs.append(str(jax.make_jaxpr(step)(KEY, state, batches[0])))
    assert programs[0] == programs[1]
    assert programs[0] != programs[2]


def test_resuming_from_a_state_is_exact(watched):
    """All that ``at_update`` knows is in the state."""
    step, batches, after = watched
    again = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), after[2][0])
    for number in (2, 3):
        again = step(KEY, again, batches[number])[0]
    for one, other in zip(jax.tree.leaves(after[4][0]), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)
