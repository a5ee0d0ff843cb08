"""Sampling from models of mean velocities."""

from __future__ import annotations

from typing import Any

from score_sde.arrays import per_example
from score_sde.denoisers.base import ScoreModel
from score_sde.denoisers.ends import ending
from score_sde.samplers.base import Predictor, Step
from score_sde.typing import Array, Batch, Condition, Key


class MeanFlowStep(Predictor):
    """x_s = x_t - (t - s) u(x_t, t, s), for ``denoisers.AverageVelocity`` (Geng et al. 2025, eq. 12).

    The model is told the end of the step in its condition. One that does not look at it gives the velocity at
    t, for which this is Euler's method: of order one. With the exact u a step of any length is exact.
    """

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
        del key
        mean = x + (s - t) * model.velocity(x, t, ending(cond, per_example(s, x)))
        return Step(mean, mean, memory)
