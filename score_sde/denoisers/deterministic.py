"""A model without its randomness, for objectives that are evaluated rather than trained on."""

from __future__ import annotations

from typing import Any

from score_sde.denoisers.base import Denoiser, Estimate, ScoreModel
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time


class Deterministic(Denoiser):
    """The same model with ``key=None`` always: no dropout. ``Deterministic.of(model)`` makes it.

    Objectives hand a key to the model; with this one they measure what sampling will use. Wraps
    score models without a closed kernel too, which then have a score and a velocity only.
    """

    model: Any

    @classmethod
    def of(cls, model: ScoreModel) -> Deterministic:
        """``model`` without its key, over the same SDE."""
        return cls(sde=model.sde, model=model)  # type: ignore[arg-type]

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """E[x_0 | x_t = x]."""
        return self.model(x, t, cond)

    def estimate(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Estimate:
        """All conventions from one evaluation."""
        return self.model.estimate(x, t, cond)

    def estimate_with_range(
        self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None
    ) -> tuple[Estimate, Batch]:
        """As ``LearnedRange``'s, of a model that has one."""
        return self.model.estimate_with_range(x, t, cond)

    def logits(self, x: Batch, t: Time, *, key: Key | None = None) -> Batch:
        """As ``NoisyClassifier``'s, of a model that is one."""
        return self.model.logits(x, t)

    def dequantize(self, x: Batch, noise: Batch) -> tuple[Batch, PerExample]:
        """As ``Dequantizing``'s, of a model that is one."""
        return self.model.dequantize(x, noise)

    def posterior(self, x: Batch) -> Any:
        """As ``Autoencoder``'s, of a model that is one."""
        return self.model.posterior(x)

    def decode(self, z: Array) -> Batch:
        """As ``Autoencoder``'s, of a model that is one."""
        return self.model.decode(z)

    def score(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """grad_x log p_t(x)."""
        return self.model.score(x, t, cond)

    def velocity(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """Probability-flow drift."""
        return self.model.velocity(x, t, cond)
