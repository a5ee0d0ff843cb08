"""Euler steps of the probability-flow ODE."""

from __future__ import annotations

from typing import Any

from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.typing import Array, Batch, Condition, Key


class ProbabilityFlowEuler(Predictor):
    """x_s = x_t + (s - t) v(x_t, t), v = f - g^2 score / 2 (Song et al. 2021, eq. 13)."""

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
        mean = x + (s - t) * model.velocity(x, t, cond)
        return Step(mean, mean, memory)
