"""An objective may know the update and the averaged model; training goes on exactly as it did otherwise."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
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


def test_the_update_and_the_average_are_those_of_the_state():
    """At first the average is the model; later it lags behind, and what the loss says is what they give."""
    step, state, batches = problem(objective=Watching())
    step = jax.jit(step)
    losses = []
    for number in range(3):
        state, metrics = step(KEY, state, batches[number])
        losses.append(float(metrics["loss"]) - 10 * number)
    np.testing.assert_allclose(losses[0], 0.01, rtol=1e-5)
    assert all(abs(loss - 0.01) < 0.01 for loss in losses)
    assert losses[2] != losses[0]


class Plain(Denoise):
    """The same loss with the interface spelled out."""

    def at_update(self, count, average):
        del count, average
        return lambda key, model, x0, cond: self(key, model, x0, cond)


def test_an_objective_that_does_not_look_trains_as_before_bit_for_bit():
    ends = []
    for objective in (Denoise(), Plain()):
        step, state, batches = problem(objective=objective)
        step = jax.jit(step)
        for number in range(2):
            state, _ = step(KEY, state, batches[number])
        ends.append(jax.tree.leaves(state))
    for one, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one, other)


def test_resuming_from_a_state_is_exact():
    """All that ``at_update`` knows is in the state."""
    step, state, batches = problem(objective=Watching())
    step = jax.jit(step)
    states = [state]
    for number in range(4):
        states.append(step(KEY, states[-1], batches[number])[0])
    again = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), states[2])
    for number in (2, 3):
        again = step(KEY, again, batches[number])[0]
    for one, other in zip(jax.tree.leaves(states[4]), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)
