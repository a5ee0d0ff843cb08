"""No correction: for samplers that only predict."""

from __future__ import annotations

from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Corrector
from score_sde.typing import Array, Batch, Condition, Key


class NoCorrector(Corrector):
    """Leaves x where it is."""

    @property
    def evaluations(self) -> int:
        """None."""
        return 0

    def step(self, key: Key, model: ScoreModel, x: Batch, t: Array, cond: Condition = None) -> Batch:
        """X itself."""
        del key, model, t, cond
        return x
