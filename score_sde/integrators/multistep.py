"""A solver that remembers slopes: one evaluation a step."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde.integrators.base import Integrator, Solution, VectorField
from score_sde.integrators.checks import Slope, batch_size, require_count, shared_slope, time_dtype
from score_sde.integrators.methods import Method, RungeKutta4, combine
from score_sde.pytree import static
from score_sde.typing import Array

WEIGHTS = (-9 / 24, 37 / 24, -59 / 24, 55 / 24)  # of the slopes, the oldest first
KEPT = len(WEIGHTS) - 1  # slopes before the newest


class AdamsBashforth(Integrator):
    """``n_steps`` equal steps of the Adams-Bashforth method of order four, the same for all examples.

    y + h/24 (55 f_0 - 59 f_1 + 37 f_2 - 9 f_3), with the slopes of the last four steps (Hairer, Norsett and
    Wanner 1993, III.1, equation 1.5 and what follows); the first three steps are those of a one-step method.
    Where the slope is smooth, evaluations go further than in Runge-Kutta steps: on a probability flow that is
    so in log-SNR, ``InLogSNR(solver=AdamsBashforth(), sde=...)``. Its region of stability is small: stiff
    fields need short steps.

    Attributes:
        n_steps: at least 1.
        first: the method of the first three steps.
    """

    n_steps: int = static(64)
    first: Method = RungeKutta4()

    def __post_init__(self) -> None:
        require_count("AdamsBashforth.n_steps", self.n_steps)

    def __call__(
        self,
        field: VectorField,
        y0: Any,
        t0: Array | float,
        t1: Array | float,
        args: tuple[Any, ...] = (),
    ) -> Solution:
        """Solve from t0 to t1, in either direction."""
        n, dtype = batch_size(y0), time_dtype(y0)
        t0, t1 = jnp.asarray(t0, dtype), jnp.asarray(t1, dtype)
        times, h = jnp.linspace(t0, t1, self.n_steps + 1)[:-1], (t1 - t0) / self.n_steps

        slope = shared_slope(field, y0, args)

        begun = min(KEPT, self.n_steps)
        y, slopes = _begin(self.first, slope, y0, times[:begun], h)
        if self.n_steps > begun:
            y = _go_on(slope, y, slopes, times[begun:], h)
        evaluations = begun * self.first.evaluations + self.n_steps - begun
        return Solution(y, jnp.full((n,), evaluations))


def _begin(method: Method, slope: Slope, y0: Any, times: Array, h: Array) -> tuple[Any, Any]:
    """The state after steps from the given times, and the slopes at these, stacked."""

    def step(y: Any, t: Array) -> tuple[Any, Any]:
        known = slope(t, y)

        def remembered(at: Array, state: Any) -> Any:  # explicit methods ask for the slope at y itself first
            return known if state is y else slope(at, state)

        return method.step(remembered, t, h, y), known

    return jax.lax.scan(step, y0, times)


def _go_on(slope: Slope, y: Any, slopes: Any, times: Array, h: Array) -> Any:
    """From the fourth step to the last; ``slopes`` are those before, the oldest first."""

    def step(carry: tuple[Any, list[Any]], t: Array) -> tuple[Any, None]:
        y, old = carry
        known = [*old, slope(t, y)]
        terms = ((h * weight, each) for weight, each in zip(WEIGHTS, known, strict=True))
        return (combine(y, *terms), known[1:]), None

    old = [jax.tree.map(lambda leaf, i=i: leaf[i], slopes) for i in range(KEPT)]
    (y, _), _ = jax.lax.scan(step, (y, old), times)
    return y
