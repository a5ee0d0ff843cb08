"""Guidance by a classifier for processes without a closed kernel."""

from __future__ import annotations

from typing import Any

from score_sde.arrays import expand
from score_sde.denoisers.base import ScoreModel
from score_sde.guidance.checks import require_finite, require_positive, require_same_process
from score_sde.guidance.gradients import guiding_gradient, require_temperature
from score_sde.typing import Array, Batch, Condition, Key, Time


class GuidedScore(ScoreModel):
    """score + scale * grad_x log p(y | x_t), of any score model. ``GuidedScore.of`` makes it.

    ``ClassifierGuided`` where only a score exists: the same formula, attributes and warnings.
    """

    model: Any
    classifier: Any
    scale: Array | float = 1.0
    temperature: Array | float = 1.0

    def __post_init__(self) -> None:
        require_finite("GuidedScore.scale", self.scale)
        require_positive("GuidedScore.temperature", self.temperature)
        require_temperature("GuidedScore.temperature", self.classifier, self.temperature)
        require_same_process("GuidedScore.classifier", self.classifier, self.model)

    @classmethod
    def of(
        cls,
        model: ScoreModel,
        classifier: ScoreModel,
        scale: Array | float = 1.0,
        temperature: Array | float = 1.0,
    ) -> GuidedScore:
        """``model`` guided to the classes that it is called with, over the same SDE."""
        return cls(sde=model.sde, model=model, classifier=classifier, scale=scale, temperature=temperature)

    def score(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """The guided score."""
        gradient = guiding_gradient(self.classifier, self.temperature, x, t, cond, key)
        return self.model.score(x, t, cond, key=key) + expand(self.scale, x) * gradient
