"""Sampling by a black-box solver of the probability-flow ODE."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError
from score_sde.integrators.adaptive import Adaptive
from score_sde.integrators.base import Integrator, Solution
from score_sde.pytree import static
from score_sde.samplers.base import Final, Sampling
from score_sde.samplers.checks import (
    floating,
    require_not_negative,
    require_start,
    require_whole,
)
from score_sde.samplers.final import KeepSample
from score_sde.sdes.checks import require_inside
from score_sde.typing import Array, Batch, Condition, Key


class ProbabilityFlowODE(Sampling):
    """Solves dx/dt = f - g^2 score / 2 from the prior to the data, or back (Song et al. 2021, section 4.3).

    Called as ``Sampler`` is. What differs between examples in ``cond`` carries the batch axis first,
    since each example may be solved apart. An example whose solve fails is NaN.

    Attributes:
        integrator: Adaptive() or FixedStep().
        t_min: where the data end of the solve is.
        t_max: where the latent end is, T by default.
        final: what becomes of the state at t_min; its mean is the state itself.
        frames: states that a trajectory has, the first and the last included.
    """

    integrator: Integrator = Adaptive()
    t_min: float = 1e-3
    t_max: float | None = None
    final: Final = KeepSample()
    frames: int = static(33)

    def __post_init__(self) -> None:
        require_not_negative("ProbabilityFlowODE.t_min", self.t_min)
        if self.t_max is not None and not self.t_max > self.t_min:
            expected = f"more than t_min = {self.t_min!r}"
            raise InputError("ProbabilityFlowODE.t_max", self.t_max, expected)
        require_whole("ProbabilityFlowODE.frames", self.frames, 2)

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
        return self.solve(key, model, shape, cond, x, t).y

    def solve(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> Solution:
        """Samples, and the model evaluations that each took."""
        require_start("ProbabilityFlowODE", shape, x, t)
        self._require_times(model, t)
        start = self._latent_time(model) if t is None else t
        return _decode(self, key, model, tuple(shape), cond, x, floating(start))

    def trajectory(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> tuple[Array, Batch]:
        """Times (frames,), evenly spaced, and states (frames, batch, *event), the last being the sample."""
        require_start("ProbabilityFlowODE", shape, x, t)
        self._require_times(model, t)
        prior_key, final_key = jax.random.split(key)
        begin = model.sde.prior(shape).sample(prior_key) if x is None else x
        times = jnp.linspace(self._latent_time(model) if t is None else t, self.t_min, self.frames)
        states = [begin]
        for i in range(self.frames - 1):
            states.append(_flow(self, model, states[-1], times[i], times[i + 1], cond).y)
        states[-1] = self.final(final_key, model, states[-1], states[-1], times[-1], cond)
        return times, jnp.stack(states)

    def encode(self, model: ScoreModel, x: Batch, cond: Condition = None) -> Solution:
        """The latent of data ``x`` (taken to be x at t_min), and the evaluations that each took."""
        self._require_times(model, None)
        return _flow(self, model, x, floating(self.t_min), floating(self._latent_time(model)), cond)

    def _require_times(self, model: ScoreModel, t: Array | float | None) -> None:
        for name, time in {"t_min": self.t_min, "t_max": self.t_max, "t": t}.items():
            require_inside(f"ProbabilityFlowODE.{name}", time, model.sde)

    def _latent_time(self, model: ScoreModel) -> Any:
        return model.sde.T if self.t_max is None else self.t_max


@functools.partial(jax.jit, static_argnames="shape")
def _decode(
    ode: ProbabilityFlowODE,
    key: Key,
    model: ScoreModel,
    shape: tuple[int, ...],
    cond: Condition,
    x: Batch | None,
    start: Array,
) -> Solution:
    prior_key, final_key = jax.random.split(key)
    begin = model.sde.prior(shape).sample(prior_key) if x is None else x
    end = floating(ode.t_min)
    y, evaluations = _flow(ode, model, begin, start, end, cond)
    return Solution(ode.final(final_key, model, y, y, end, cond), evaluations + ode.final.evaluations)


@jax.jit
def _flow(
    ode: ProbabilityFlowODE, model: ScoreModel, x: Batch, t0: Array, t1: Array, cond: Condition
) -> Solution:
    def field(t: Array, x: Batch, cond: Condition) -> Batch:
        return model.velocity(x, t, cond)

    return ode.integrator(field, x, t0, t1, args=(cond,))
