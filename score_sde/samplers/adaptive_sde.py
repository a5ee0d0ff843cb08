"""The reverse SDE with steps that each example chooses."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.arrays import expand, mean_per_example
from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError
from score_sde.pytree import static
from score_sde.samplers.base import Final, Sampling
from score_sde.samplers.checks import (
    floating,
    require_not_negative,
    require_positive,
    require_start,
    require_whole,
)
from score_sde.samplers.final import KeepSample
from score_sde.sdes.checks import require_inside
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class Drawn(NamedTuple):
    """Samples, and what they took.

    Attributes:
        x: (batch, *event); NaN where an example did not arrive.
        evaluations: of the model, (batch,), those of rejected steps included.
    """

    x: Batch
    evaluations: PerExample


class AdaptiveSDE(Sampling):
    """Euler-Maruyama beside stochastic improved Euler, one noise for both (Jolicoeur-Martineau et al. 2021).

    x' is the first and x'' = (x' + x~) / 2 the second, where x~ takes drift and diffusion at x' and t - h.
    A step is accepted, and goes on from x'', where E, the root mean square of (x' - x'') / delta, is at most
    1, with delta = max(atol, rtol max(|x'|, |x' of the step before|)). Then h becomes safety E^-exponent h. A
    rejected step draws new noise, as in the paper, so that accepted noise is a little too small. For every
    SDE whose g is finite at T.

    E is an average over values of x. Of few values it is small by chance now and then, and a step far too
    long passes: in the plane the spread of a normal law came out a fifth to a half too large, with 64 values
    right.

    Attributes:
        rtol: relative tolerance.
        atol: absolute tolerance, in units of x; the paper's is one step of 8 bits in [-1, 1].
        first: length of the first step, of the whole time.
        safety: theta.
        exponent: r, in [0.5, 1].
        t_min: where it ends.
        max_steps: accepted and rejected steps allowed to each example.
        final: what becomes of the last state; its mean is the state itself.
    """

    rtol: float = 0.05
    atol: float = 0.0078
    first: float = 0.01
    safety: float = 0.9
    exponent: float = 0.9
    t_min: float = 1e-3
    max_steps: int = static(10000)
    final: Final = KeepSample()

    def __post_init__(self) -> None:
        for name in ("rtol", "atol", "first", "safety", "exponent"):
            require_positive(f"AdaptiveSDE.{name}", getattr(self, name))
        require_not_negative("AdaptiveSDE.t_min", self.t_min)
        require_whole("AdaptiveSDE.max_steps", self.max_steps, 1)

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
        return self.draw(key, model, shape, cond, x, t).x

    def draw(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> Drawn:
        """Samples, and the model evaluations that each took."""
        require_start("AdaptiveSDE", shape, x, t)
        require_inside("AdaptiveSDE.t", t, model.sde)
        require_inside("AdaptiveSDE.t_min", self.t_min, model.sde)
        start = floating(model.sde.T if t is None else t)
        if not isinstance(start, jax.core.Tracer) and not bool(jnp.isfinite(model.sde.diffusion(start))):
            found, expected = type(model.sde).__name__, "an SDE whose diffusion is finite where it starts"
            raise InputError("AdaptiveSDE for sde", found, expected, "use SASolver, or start below T")
        return _draw(self, key, model, tuple(shape), cond, x, start)

    def trajectory(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> tuple[Array, Batch]:
        """The two times at which all examples are, and the states there."""
        begin = model.sde.prior(shape).sample(jax.random.split(key, 3)[0]) if x is None else x
        start = floating(model.sde.T if t is None else t)
        end = self(key, model, shape, cond, begin, start)
        return jnp.stack([start, floating(self.t_min)]), jnp.stack([begin, end])


class _State(NamedTuple):
    x: Batch
    before: Batch  # x' of the step before
    t: PerExample
    h: PerExample
    evaluations: PerExample
    tried: Array


@functools.partial(jax.jit, static_argnames="shape")
def _draw(
    method: AdaptiveSDE,
    key: Key,
    model: ScoreModel,
    shape: tuple[int, ...],
    cond: Condition,
    x: Batch | None,
    start: Array,
) -> Drawn:
    prior_key, steps_key, final_key = jax.random.split(key, 3)
    begin = model.sde.prior(shape).sample(prior_key) if x is None else x
    times = jnp.full(shape[0], start, begin.dtype)
    none = jnp.zeros(shape[0], jnp.int32)
    length = jnp.minimum(method.first * model.sde.T, times - method.t_min)

    def left(state: _State) -> Array:
        return jnp.any(state.t > method.t_min) & (state.tried < method.max_steps)

    def attempt(state: _State) -> _State:
        noise = arrays.normal_like(jax.random.fold_in(steps_key, state.tried), state.x)
        return _attempt(method, model, cond, state, noise)

    begun = _State(begin, begin, times, length, none, jnp.zeros((), jnp.int32))
    state = jax.lax.while_loop(left, attempt, begun)
    end = jnp.asarray(method.t_min, begin.dtype)
    sample = method.final(final_key, model, state.x, state.x, end, cond)
    arrived = expand(state.t <= method.t_min, sample)
    return Drawn(jnp.where(arrived, sample, jnp.nan), state.evaluations + method.final.evaluations)


def _attempt(method: AdaptiveSDE, model: ScoreModel, cond: Condition, state: _State, noise: Batch) -> _State:
    x, t, going = state.x, state.t, state.t > method.t_min
    h = jnp.where(going, state.h, 0)
    first = _euler(model, x, x, t, h, noise, cond)
    second = 0.5 * (first + _euler(model, x, first, t - h, h, noise, cond))
    size = jnp.maximum(jnp.abs(first), jnp.abs(state.before))
    delta = jnp.maximum(method.atol, method.rtol * size)
    error = jnp.sqrt(mean_per_example(jnp.square((first - second) / delta)))
    accepted = going & (error <= 1)
    here = expand(accepted, x)
    later = jnp.where(accepted, jnp.where(t - h <= method.t_min * (1 + 1e-6), method.t_min, t - h), t)
    grown = method.safety * h * jnp.maximum(error, 1e-10) ** -method.exponent
    return _State(
        x=jnp.where(here, second, x),
        before=jnp.where(here, first, state.before),
        t=later.astype(t.dtype),
        h=jnp.where(going, jnp.minimum(grown, later - method.t_min), state.h).astype(t.dtype),
        evaluations=state.evaluations + 2 * going,
        tried=state.tried + 1,
    )


def _euler(
    model: Any, x: Batch, at: Batch, t: PerExample, h: PerExample, noise: Batch, cond: Condition
) -> Batch:
    """From x, with the drift at ``at`` and the coefficients at t."""
    drift = model.reverse_drift(at, t, cond)
    return x - expand(h, x) * drift + expand(jnp.sqrt(h) * model.sde.diffusion(t), x) * noise
