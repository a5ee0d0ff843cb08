"""A sampler that goes back up now and then, so that what is seen and what is not agree better."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Final, Grid, Predictor, Sampling, Step
from score_sde.samplers.checks import require_decreasing, require_gaussian, require_start, require_whole
from score_sde.samplers.final import KeepMean
from score_sde.samplers.grids import Uniform
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key


class TimeTravel(Sampling):
    """A predictor along a grid that jumps ``jump_length`` times back up, ``resamplings`` - 1 times each.

    The moves are those of RePaint (Lugmayr et al. 2022, algorithm 1; ``get_schedule_jump`` of its code). A
    jump is drawn at once: p(x_t | x_s) over several steps is the same law as one step after another.
    For a method: ``DDNM(sampler=TimeTravel(...))`` is DDNM's time-travel (Wang et al. 2023, section 3.3).

    Attributes:
        predictor: takes x from each time to the next.
        grid: the times.
        n_steps: of the grid.
        jump_length: how many steps a jump goes back.
        resamplings: how often each stretch is walked; 1 never jumps.
        final: what becomes of the last state.
    """

    predictor: Predictor
    grid: Grid = Uniform()
    n_steps: int = static(250)
    jump_length: int = static(10)
    resamplings: int = static(10)
    final: Final = KeepMean()

    def __post_init__(self) -> None:
        for name in ("n_steps", "jump_length", "resamplings"):
            require_whole(f"TimeTravel.{name}", getattr(self, name), 1)
        self.predictor.check(self.n_steps)

    @property
    def evaluations(self) -> int:
        """Model evaluations of one call."""
        moves = len(schedule(self.n_steps, self.jump_length, self.resamplings))
        return moves * self.predictor.evaluations + self.final.evaluations

    def __call__(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> Batch:
        """Samples of shape ``shape`` = (batch, *event), in the data's units."""
        times = self._times(model, shape, x, t)
        return _travel(self, key, model, times, tuple(shape), cond, x, _forget)[0]

    def trajectory(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> tuple[Array, Batch]:
        """Times and states after each move down, the first state before them, the last the sample."""
        times = self._times(model, shape, x, t)
        sample, begin, states = _travel(self, key, model, times, tuple(shape), cond, x, _keep)
        _, levels = _levels(self)
        visited = jnp.concatenate([times[:1], times[levels + 1]])
        return visited, jnp.concatenate([begin[None], states[:-1], sample[None]])

    def _times(self, model: ScoreModel, shape: tuple[int, ...], x: Batch | None, t: Any) -> Array:
        require_start("TimeTravel", shape, x, t)
        times = self.grid(model.sde, self.n_steps, t)
        require_decreasing(f"times of TimeTravel.grid, {type(self.grid).__name__},", times)
        return times


def schedule(n_steps: int, jump_length: int, resamplings: int) -> list[tuple[int, int]]:
    """The moves (origin, level): up from ``origin`` to ``level`` if they differ, then down by one.

    Levels count the steps that are left, so that they begin at ``n_steps`` and end at 0.
    """
    left = dict.fromkeys(range(1, n_steps - jump_length + 1, jump_length), resamplings - 1)
    moves, origin, level = [], n_steps, n_steps
    while level:
        moves.append((origin, level))
        level -= 1
        origin = level
        if left.get(level, 0):
            left[level] -= 1
            level += jump_length
    return moves


def _levels(travel: TimeTravel) -> tuple[Array, Array]:
    """Where in the grid each move begins and, after a jump, goes down from."""
    moves = jnp.array(schedule(travel.n_steps, travel.jump_length, travel.resamplings))
    return travel.n_steps - moves[:, 0], travel.n_steps - moves[:, 1]


@functools.partial(jax.jit, static_argnames=("shape", "record"))
def _travel(
    travel: TimeTravel,
    key: Key,
    model: ScoreModel,
    times: Array,
    shape: tuple[int, ...],
    cond: Condition,
    x: Batch | None,
    record: Callable[[Batch], Any],
) -> tuple[Batch, Batch, Any]:
    sde = require_gaussian("TimeTravel", model.sde)
    prior_key, steps_key, final_key = jax.random.split(key, 3)
    begin = sde.prior(shape).sample(prior_key) if x is None else x

    def advance(step: Step, move: tuple[Key, Array, Array]) -> tuple[Step, Any]:
        key, origin, level = move
        predict_key, up_key = jax.random.split(key)
        t, s, jumps = times[level], times[level + 1], origin != level
        x = jnp.where(jumps, _up(up_key, sde, step.x, times[origin], t, jumps), step.x)
        fresh = travel.predictor.init(model, x, t)
        memory = jax.tree.map(lambda new, old: jnp.where(jumps, new, old), fresh, step.memory)
        step = travel.predictor.step(predict_key, model, x, t, s, memory, cond)
        step = Step(step.x.astype(begin.dtype), step.mean.astype(begin.dtype), step.memory)
        return step, record(step.x)

    origins, levels = _levels(travel)
    first = Step(begin, begin, travel.predictor.init(model, begin, times[0]))
    last, states = jax.lax.scan(advance, first, (jax.random.split(steps_key, len(levels)), origins, levels))
    return travel.final(final_key, model, last.x, last.mean, times[-1], cond), begin, states


def _up(key: Key, sde: GaussianSDE, x: Batch, s: Array, t: Array, jumps: Array) -> Batch:
    """A draw of p(x_t | x_s = x); of no meaning unless ``jumps``."""
    scale, std = sde.transition(t, jnp.where(jumps, s, 0))
    return scale * x + std * arrays.normal_like(key, x)


def _keep(x: Batch) -> Batch:
    return x


def _forget(x: Batch) -> None:
    del x
