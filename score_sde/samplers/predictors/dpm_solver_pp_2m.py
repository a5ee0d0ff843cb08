"""DPM-Solver++(2M) and its stochastic form."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import (
    require_denoiser,
    require_gaussian,
    require_not_negative,
    require_terms,
)
from score_sde.samplers.exponential import Interval, Past, added, decay, gain, log_clock, place
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Condition, Key


class DPMSolverPP2M(Predictor):
    """D extrapolated to the middle of the step from its last two values (Lu et al. 2022b, algorithm 2).

    The step of ``ExponentialEulerMaruyama`` with D + (h / (2 h')) (D - D') in place of D, where D' is
    the value one step of h' earlier. Churn 1 is SDE-DPM-Solver++(2M). The first
    step, and those from alpha = 0 or to sigma = 0, take D alone.
    """

    churn: float = 0.0

    def __post_init__(self) -> None:
        require_not_negative("DPMSolverPP2M.churn", self.churn)

    @property
    def order(self) -> int:
        """Two; with noise of the weak kind."""
        return 2

    def check(self, n_steps: int) -> None:
        """Raise where the second value never comes."""
        require_terms("terms of DPMSolverPP2M", 2, n_steps)

    def log_clock(self, sde: SDE, t: Array) -> Array:
        """That of the exact noise."""
        return log_clock(require_gaussian("DPMSolverPP2M", sde), t, jnp.square(self.churn))

    def init(self, model: ScoreModel, x: Batch, t: Array) -> Past:
        """No value is known."""
        del model
        return Past.empty(x, t, 1)

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
        denoiser = require_denoiser("DPMSolverPP2M", model)
        sde, churn2, denoised = denoiser.sde, jnp.square(self.churn), denoiser(x, t, cond)
        interval = Interval.of(sde, t, s)
        known = interval.finite & (memory.known > 0)
        before = jnp.where(known, interval.at - memory.at[0], 1.0)
        ahead = jnp.where(known, 0.5 * interval.width / before, 0.0)
        middle = denoised + ahead * (denoised - memory.values[0])
        mean = decay(sde, t, s, churn2) * x + gain(sde, t, s, churn2) * middle
        x = mean + added(sde, t, s, churn2) * arrays.normal_like(key, x)
        return Step(x, mean, memory.push(denoised, *place(sde, t)))
