"""One program for every number of steps: compiling each would take longer than running it."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.samplers import Corrector, Predictor, Sampler
from score_sde.samplers.base import Step
from score_sde.typing import Array, Batch, Key

MOST = 1000  # steps that times are padded to


def draw(sampler: Sampler, key: Key, model: Any, shape: tuple[int, ...], cond: Any = None) -> Batch:
    """What ``sampler(key, model, shape, cond)`` draws, with its default order, noise and last step."""
    times = sampler.times(model.sde, shape)
    padded = jnp.pad(times, (0, max(0, MOST - sampler.n_steps)), mode="edge")
    return _walk(sampler.predictor, sampler.corrector, key, model, padded, sampler.n_steps, shape, cond)


@functools.partial(jax.jit, static_argnames="shape")
def _walk(
    predictor: Predictor,
    corrector: Corrector,
    key: Key,
    model: Any,
    times: Array,
    n_steps: Array,
    shape: tuple[int, ...],
    cond: Any,
) -> Batch:
    prior_key, steps_key, _ = jax.random.split(key, 3)
    begin = model.sde.prior(shape).sample(prior_key)
    keys = jax.random.split(steps_key, len(times) - 1)

    def advance(i: Array, last: Step) -> Step:
        predict_key, correct_key = jax.random.split(keys[i])
        x = corrector.step(jax.random.split(correct_key, 1)[0], model, last.x, times[i], cond)
        step = predictor.step(predict_key, model, x, times[i], times[i + 1], last.memory, cond)
        return Step(step.x.astype(x.dtype), step.mean.astype(x.dtype), step.memory)

    first = Step(begin, begin, predictor.init(model, begin, times[0]))
    last: Step = jax.lax.fori_loop(0, n_steps, advance, first)
    return last.mean
