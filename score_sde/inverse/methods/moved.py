"""A predictor whose steps are moved by what a measurement says of where they began."""

from __future__ import annotations

from typing import Any

from score_sde.denoisers.base import ScoreModel
from score_sde.inverse.base import Measurement
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser
from score_sde.typing import Array, Batch, Condition, Key


class Moved(Predictor):
    """A predictor's step and ``method.move(measurement, model, x_t, t, cond)``.

    The evaluation that the move needs is the predictor's first one: the compiler sees that and makes it once.
    """

    predictor: Predictor
    measurement: Measurement
    method: Any

    @property
    def evaluations(self) -> int:
        """The predictor's."""
        return self.predictor.evaluations

    def check(self, n_steps: int) -> None:
        """As the predictor's."""
        self.predictor.check(n_steps)

    def init(self, model: ScoreModel, x: Batch, t: Array) -> Any:
        """The predictor's memory."""
        return self.predictor.init(model, x, t)

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
        drawn = self.predictor.step(key, model, x, t, s, memory, cond)
        return Step(drawn.x + move, drawn.mean + move, drawn.memory)
