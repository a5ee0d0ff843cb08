"""A class-conditional model that is not told the class."""

from __future__ import annotations

from typing import Any

from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.guidance.base import Guided, Look
from score_sde.guidance.labels import require_null, without_label
from score_sde.pytree import static
from score_sde.typing import Batch, Condition, Key, Time


class Unlabelled(Guided):
    """The unconditional half of a model: p(x) under whatever label it is called with.

    ``ClassifierGuided.of(Unlabelled.of(model), classifier)`` lets the classifier alone know the class.

    Attributes:
        model: a model that was trained with and without labels, or without them.
        null: the label that stands for no class; None tells it no label, which our networks read alike.
    """

    model: Any
    null: int | None = static(None)

    def __post_init__(self) -> None:
        require_null("Unlabelled.null", self.null)

    @classmethod
    def of(cls, model: Denoiser, null: int | None = None) -> Unlabelled:
        """``model`` without labels, over the same SDE."""
        return cls(sde=model.sde, model=model, null=null)

    def guide(self, look: Look, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Estimate, Any]:
        """The model's estimate under no class."""
        return look(self.model, x, t, without_label(cond, self.null), key)
