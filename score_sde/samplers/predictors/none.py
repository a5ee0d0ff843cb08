"""No prediction: for samplers that only correct."""

from __future__ import annotations

from typing import Any

from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.typing import Array, Batch, Condition, Key


class NoPredictor(Predictor):
    """Leaves x where it is, so that the corrector alone follows the grid (annealed Langevin sampling)."""

    @property
    def order(self) -> int:
        """Nothing moves."""
        return 0

    @property
    def evaluations(self) -> int:
        """None."""
        return 0

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
        """X itself."""
        del key, model, t, s, cond
        return Step(x, x, memory)
