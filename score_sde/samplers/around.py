"""A predictor round another one: what methods build that change a step."""

from __future__ import annotations

from typing import Any

from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch


class Around(Predictor):
    """Evaluations, checks, clock and memory are those of ``inner``; a subclass writes ``step``.

    Attributes:
        inner: the other predictor.
    """

    inner: Predictor

    @property
    def evaluations(self) -> int:
        """Those of ``inner``."""
        return self.inner.evaluations

    def check(self, n_steps: int) -> None:
        """As ``inner`` does."""
        self.inner.check(n_steps)

    def log_clock(self, sde: SDE, t: Array) -> Array:
        """That of ``inner``."""
        return self.inner.log_clock(sde, t)

    def init(self, model: ScoreModel, x: Batch, t: Array) -> Any:
        """The memory of ``inner``."""
        return self.inner.init(model, x, t)
