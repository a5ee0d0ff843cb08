"""Restart sampling: an ODE that now and then goes back up by fresh noise."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError
from score_sde.pytree import Pytree, static
from score_sde.samplers.base import Final, Grid, Predictor, Sampling
from score_sde.samplers.checks import (
    require_gaussian,
    require_positive,
    require_start,
    require_whole,
)
from score_sde.samplers.final import KeepSample
from score_sde.samplers.grids import Karras, ToZero
from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.checks import require_inside
from score_sde.typing import Array, Batch, Condition, Key


class RestartInterval(Pytree):
    """Where noise is added and taken away again.

    Attributes:
        low: sigma / alpha from which x goes up; the next smaller time of the main grid is taken.
        high: sigma / alpha up to which.
        n_steps: predictor steps back down, equal in (sigma / alpha)^(1/7).
        repeats: how many times.
    """

    low: float
    high: float
    n_steps: int = static(5)
    repeats: int = static(1)

    def __post_init__(self) -> None:
        require_positive("RestartInterval.low", self.low)
        if not self.high > self.low:
            raise InputError("RestartInterval.high", self.high, f"more than low = {self.low!r}")
        require_whole("RestartInterval.n_steps", self.n_steps, 1)
        require_whole("RestartInterval.repeats", self.repeats, 1)


class Restart(Sampling):
    """The probability flow down the grid, and at each interval up and down again (Xu et al. 2023).

    x at the low time becomes x at the high time by the process itself, scale x + std z, and flows back. Both
    keep p_t, and what error there is in x shrinks each time by the scale and by the flow's contraction. Any
    deterministic predictor of a Gaussian SDE serves.

    Attributes:
        predictor: of the flow; its memory begins anew in every interval.
        grid: the main grid.
        n_steps: steps of it.
        intervals: from large noise to small.
        final: what becomes of the last state; its mean is the state itself.
    """

    predictor: Predictor
    grid: Grid = ToZero(grid=Karras())
    n_steps: int = static(18)
    intervals: tuple[RestartInterval, ...] = ()
    final: Final = KeepSample()

    def __post_init__(self) -> None:
        require_whole("Restart.n_steps", self.n_steps, 1)

    @property
    def evaluations(self) -> int:
        """Model evaluations of one call."""
        more = sum(each.n_steps * each.repeats for each in self.intervals)
        return (self.n_steps + more) * self.predictor.evaluations + self.final.evaluations

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
        return self.trajectory(key, model, shape, cond, x, t)[1][-1]

    def trajectory(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> tuple[Array, Batch]:
        """Times (n,), which go up where it restarts, and states (n, batch, *event), the last the sample."""
        require_start("Restart", shape, x, t)
        sde = require_gaussian("Restart", model.sde, "Sampler(predictor=EulerMaruyama())")
        require_inside("Restart.t", t, sde)
        prior_key, final_key, key = jax.random.split(key, 3)
        state = model.sde.prior(shape).sample(prior_key) if x is None else x
        times: list[Array] = []
        states = [state[None]]
        for number, (part, jumps) in enumerate(self._parts(sde, t)):
            up_key, down_key = jax.random.split(jax.random.fold_in(key, number))
            if jumps:
                state = _raised(sde, up_key, state, times[-1][-1], part[0])
                states.append(state[None])
            passed = _flow(self._predictor(len(part) - 1), down_key, model, state, part, cond)
            times.append(part if jumps or not times else part[1:])
            states.append(passed)
            state = passed[-1]
        last = self.final(final_key, model, state, state, times[-1][-1], cond)
        return jnp.concatenate(times), jnp.concatenate(states).at[-1].set(last)

    def _parts(self, sde: GaussianSDE, start: Array | float | None) -> list[tuple[Array, bool]]:
        """Stretches of falling times, and whether x is raised to the beginning of each."""
        main, parts = self.grid(sde, self.n_steps, start), []
        begin = 0
        for interval in self.intervals:
            low = int(jnp.sum(main >= sde.time_at_log_snr(-2 * jnp.log(jnp.asarray(interval.low)))))
            if not begin < low < len(main):
                expected = "a ratio inside the grid, below those of the intervals before"
                raise InputError("RestartInterval.low", float(interval.low), expected, "move it")
            parts.append((main[begin : low + 1], False))
            parts += [(_back(sde, interval, main[low]), True)] * interval.repeats
            begin = low
        return [*parts, (main[begin:], False)] if begin < len(main) - 1 else parts

    def _predictor(self, n_steps: int) -> Predictor:
        found: Predictor = (
            self.predictor.replace(N=n_steps) if hasattr(self.predictor, "N") else self.predictor
        )
        found.check(n_steps)
        return found


@jax.jit
def _flow(
    predictor: Predictor, key: Key, model: ScoreModel, x: Batch, times: Array, cond: Condition
) -> Batch:
    """States at the times after the first, (n, batch, *event)."""

    def advance(
        carry: tuple[Batch, Any], interval: tuple[Key, Array, Array]
    ) -> tuple[tuple[Batch, Any], Batch]:
        (x, memory), (key, t, s) = carry, interval
        step = predictor.step(key, model, x, t, s, memory, cond)
        state = step.x.astype(x.dtype)
        return (state, step.memory), state

    keys = jax.random.split(key, len(times) - 1)
    begun = x, predictor.init(model, x, times[0])
    return jax.lax.scan(advance, begun, (keys, times[:-1], times[1:]))[1]


def _back(sde: GaussianSDE, interval: RestartInterval, low: Array) -> Array:
    """Times from the interval's high ratio to ``low``."""
    high = sde.time_at_log_snr(-2 * jnp.log(jnp.asarray(interval.high)))
    ends = jnp.stack([high, low]).astype(low.dtype)
    first, last = (sde.sigma(ends) / sde.alpha(ends)) ** (1 / 7)
    roots = jnp.linspace(first, last, interval.n_steps + 1)
    times = sde.time_at_log_snr(-14 * jnp.log(roots))
    return times.astype(low.dtype).at[0].set(high).at[-1].set(low)


def _raised(sde: GaussianSDE, key: Key, x: Batch, low: Array, high: Array) -> Batch:
    """x_high given x_low, by the process."""
    scale, std = sde.transition(high, low)
    return scale * x + std * arrays.normal_like(key, x)
