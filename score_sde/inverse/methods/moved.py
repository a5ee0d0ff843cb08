"""A predictor whose steps are moved by what a measurement says of where they began."""

from __future__ import annotations

from typing import Any

from score_sde.denoisers.base import ScoreModel
from score_sde.inverse.base import Measurement
from score_sde.samplers.around import Around
from score_sde.samplers.base import Step
from score_sde.samplers.checks import require_denoiser
from score_sde.typing import Array, Batch, Condition, Key


class Moved(Around):
    """A predictor's step and ``method.move(measurement, model, x_t, t, cond)``.

    The evaluation that the move needs is the predictor's first one: the compiler sees that and makes it once.
    """

    measurement: Measurement
    method: Any

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
        denoiser = require_denoiser(type(self.method).__name__, model)
        move = self.method.move(self.measurement, denoiser, x, t, cond)
        drawn = self.inner.step(key, model, x, t, s, memory, cond)
        return Step(drawn.x + move, drawn.mean + move, drawn.memory)
