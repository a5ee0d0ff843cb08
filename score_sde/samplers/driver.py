"""The predictor-corrector sampler: one scan over a grid of times."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Corrector, Final, Grid, Noise, Order, Predictor, Sampling, Step
from score_sde.samplers.checks import require_decreasing, require_start, require_whole
from score_sde.samplers.correctors.none import NoCorrector
from score_sde.samplers.final import KeepMean
from score_sde.samplers.grids import Uniform
from score_sde.samplers.noise import FreshNoise
from score_sde.samplers.orders import CorrectorFirst
from score_sde.sdes.base import SDE
from score_sde.sdes.checks import require_inside
from score_sde.typing import Array, Batch, Condition, Key


class Sampler(Sampling):
    """Predictor and corrector by turns along a grid (Song et al. 2021, algorithm 1).

    Calling it draws from the model; it compiles once for each shape and structure. A state ``x`` at a
    time ``t`` may be given to begin from there (editing, warm starts); without ``t`` it is x_T.

    Attributes:
        predictor: takes x from each time to the next; NoPredictor() leaves only the corrector.
        corrector: moves x within a time; NoCorrector() leaves only the predictor.
        grid: the times.
        n_steps: predictor steps.
        corrector_steps: corrector steps at each time, 0 or more.
        order: CorrectorFirst() as the original code, PredictorFirst() as the paper.
        final: what becomes of the last state.
        noise: of the predictor; BrownianPath() makes one path of a key at every number of steps.
    """

    predictor: Predictor
    corrector: Corrector = NoCorrector()
    grid: Grid = Uniform()
    n_steps: int = static(1000)
    corrector_steps: int = static(1)
    order: Order = CorrectorFirst()
    final: Final = KeepMean()
    noise: Noise = FreshNoise()

    def __post_init__(self) -> None:
        require_whole("Sampler.n_steps", self.n_steps, 1)
        require_whole("Sampler.corrector_steps", self.corrector_steps, 0)
        self.predictor.check(self.n_steps)
        self.corrector.check(self.n_steps)

    @property
    def evaluations(self) -> int:
        """Model evaluations of one call."""
        each = self.predictor.evaluations + self.corrector_steps * self.corrector.evaluations
        return self.n_steps * each + self.final.evaluations

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
        times = self.times(model.sde, shape, x, t)
        return _run(self, key, model, times, tuple(shape), cond, x, _forget).sample

    def trajectory(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> tuple[Array, Batch]:
        """Times (n_steps + 1,) and states (n_steps + 1, batch, *event), the last being the sample."""
        times = self.times(model.sde, shape, x, t)
        run = _run(self, key, model, times, tuple(shape), cond, x, _keep)
        return times, jnp.concatenate([run.begin[None], run.record[:-1], run.sample[None]])

    def times(
        self, sde: SDE, shape: tuple[int, ...], x: Batch | None = None, t: Array | float | None = None
    ) -> Array:
        """The grid's times, checked as far as they are known."""
        require_start("Sampler", shape, x, t)
        require_inside("Sampler.t", t, sde)
        times = _times(self.grid, sde, self.n_steps, t)
        where = f"times of Sampler.grid, {type(self.grid).__name__},"
        require_decreasing(where, times)
        require_inside(f"first of {where}", times[0], sde)
        return times


class _Run(NamedTuple):
    begin: Batch
    sample: Batch
    record: Any


@functools.partial(jax.jit, static_argnames="n_steps")
def _times(grid: Grid, sde: SDE, n_steps: int, start: Array | float | None) -> Array:
    return grid(sde, n_steps, start)


@functools.partial(jax.jit, static_argnames=("shape", "record"))
def _run(
    sampler: Sampler,
    key: Key,
    model: ScoreModel,
    times: Array,
    shape: tuple[int, ...],
    cond: Condition,
    x: Batch | None,
    record: Callable[[Batch], Any],
) -> _Run:
    prior_key, steps_key, final_key = jax.random.split(key, 3)
    path_key = jax.random.fold_in(key, 3)
    begin = model.sde.prior(shape).sample(prior_key) if x is None else x

    def advance(step: Step, interval: tuple[Key, Array, Array]) -> tuple[Step, Any]:
        step = _advance(sampler, model, cond, step, path_key, *interval)
        return step, record(step.x)

    first = Step(begin, begin, sampler.predictor.init(model, begin, times[0]))
    keys = jax.random.split(steps_key, sampler.n_steps)
    last, records = jax.lax.scan(advance, first, (keys, times[:-1], times[1:]))
    sample = sampler.final(final_key, model, last.x, last.mean, times[-1], cond)
    return _Run(begin, sample, records)


def _advance(
    sampler: Sampler,
    model: ScoreModel,
    cond: Condition,
    last: Step,
    path_key: Key,
    key: Key,
    t: Array,
    s: Array,
) -> Step:
    predict_key, correct_key = jax.random.split(key)
    noise = sampler.noise(predict_key, path_key, sampler.predictor, model.sde, t, s)

    def predict(x: Batch) -> Step:
        return sampler.predictor.step(noise, model, x, t, s, last.memory, cond)

    def correct(x: Batch, time: Array) -> Batch:
        def again(x: Batch, key: Key) -> tuple[Batch, None]:
            return sampler.corrector.step(key, model, x, time, cond).astype(x.dtype), None

        if sampler.corrector_steps == 0:
            return x
        return jax.lax.scan(again, x, jax.random.split(correct_key, sampler.corrector_steps))[0]

    step = sampler.order(predict, correct, last.x, t, s)
    dtype = last.x.dtype  # the grid may be kept in a wider type than the state
    return Step(step.x.astype(dtype), step.mean.astype(dtype), step.memory)


def _keep(x: Batch) -> Batch:
    return x


def _forget(x: Batch) -> None:
    del x
