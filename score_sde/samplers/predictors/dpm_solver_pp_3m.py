"""DPM-Solver++(3M) as it is used, and its stochastic form."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser, require_gaussian, require_not_negative, require_terms
from score_sde.samplers.exponential import Interval, Past, added, decay, gain, log_clock, place, weights
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Condition, Key


class DPMSolverPP3M(Predictor):
    """Value, slope and half of the curvature of D through its last three values.

    With u the way into the step of length h, x_s has the integral of D + D' u + ``curvature`` D'' u^2 / 2,
    by finite differences. The code of Lu et al. 2022b, and all that follow it, weigh the curvature by 1/2,
    and the solver is then of second order with a small constant; with 1 it is of third order, and the same as
    ``ExponentialMultistep(terms=3)``. Churn 1 is k-diffusion's ``dpmpp_3m_sde`` with eta = 1.

    Attributes:
        churn: 0 is the probability flow, 1 the reverse SDE.
        curvature: weight of the second derivative.
    """

    churn: float = 0.0
    curvature: float = 0.5

    def __post_init__(self) -> None:
        require_not_negative("DPMSolverPP3M.churn", self.churn)

    @property
    def order(self) -> int:
        """Two; with noise of the weak kind."""
        return 2

    def check(self, n_steps: int) -> None:
        """Raise where the third value never comes."""
        require_terms("terms of DPMSolverPP3M", 3, n_steps)

    def log_clock(self, sde: SDE, t: Array) -> Array:
        """That of the exact noise."""
        return log_clock(require_gaussian("DPMSolverPP3M", sde), t, jnp.square(self.churn))

    def init(self, model: ScoreModel, x: Batch, t: Array) -> Past:
        """No value is known."""
        del model
        return Past.empty(x, t, 2)

    def step(
        self,
        key: Key,
        model: ScoreModel,
        x: Batch,
        t: Array,
        s: Array,
        memory: Any = (),
        cond: Condition = None,
    ) -> Step:
        """One step."""
        denoiser = require_denoiser("DPMSolverPP3M", model)
        sde, churn2, denoised = denoiser.sde, jnp.square(self.churn), denoiser(x, t, cond)
        drift = gain(sde, t, s, churn2) * denoised
        interval = Interval.of(sde, t, s)
        slope, curve = self._derivatives(denoised, memory, interval)
        line, square = _powers(interval.width, 1 + churn2)
        drift += sde.alpha(s) * (1 + churn2) * (line * slope + 0.5 * self.curvature * square * curve)
        mean = decay(sde, t, s, churn2) * x + drift
        x = mean + added(sde, t, s, churn2) * arrays.normal_like(key, x)
        return Step(x, mean, memory.push(denoised, *place(sde, t)))

    def _derivatives(self, value: Batch, past: Past, interval: Interval) -> tuple[Batch, Batch]:
        """First and second, per lambda and its square, as far as they are known."""
        two, three = (interval.finite & (past.known >= n) for n in (1, 2))
        one_back = jnp.where(two, interval.at - past.at[0], 1.0)
        two_back = jnp.where(three, past.at[0] - past.at[1], 1.0)
        late = (value - past.values[0]) / one_back
        early = (past.values[0] - past.values[1]) / two_back
        curve = jnp.where(three, 2 * (late - early) / (one_back + two_back), 0.0)
        return jnp.where(two, late, 0.0) + 0.5 * one_back * curve, curve


def _powers(width: Array, rate: Array | float) -> tuple[Array, Array]:
    """int_0^h e^{-rate (h - u)} u du and that of u^2, by three-point interpolation, which is exact."""
    middle, end = 0.5 * width, width
    _, half, full = weights((jnp.zeros_like(width), middle, end), width, rate)
    return half * middle + full * end, half * jnp.square(middle) + full * jnp.square(end)
