"""Guidance of a model away from a weaker version of itself."""

from __future__ import annotations

from typing import Any

from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.guidance.base import Guided, Look
from score_sde.guidance.checks import require_finite, require_same_process
from score_sde.guidance.shifts import interpolate
from score_sde.typing import Array, Batch, Condition, Key, Time


class Autoguided(Guided):
    """D_weak + scale (D - D_weak), in every convention. ``Autoguided.of(model, weaker, scale)`` makes it.

    Karras et al. 2024: the weaker model was trained for less long, or is smaller, or both, on the same
    task and under the same conditions; where it errs more, the model errs a little in the same direction, and
    is taken further the other way. Needs no classes. Scale 1 is the model. Two exact models do not differ, so
    that nothing is guided: what this corrects is not in p(x), and no q_t is meant.

    Attributes:
        model: the better one.
        weaker: the other one; in a configuration ``call(trained, config=..., workdir=...)``.
        scale: a number, or one per example.
    """

    model: Any
    weaker: Any
    scale: Array | float = 1.0

    def __post_init__(self) -> None:
        require_finite("Autoguided.scale", self.scale)
        require_same_process("Autoguided.weaker", self.weaker, self.model)

    @classmethod
    def of(cls, model: Denoiser, weaker: Denoiser, scale: Array | float) -> Autoguided:
        """``model`` guided away from ``weaker``, over the same SDE."""
        return cls(sde=model.sde, model=model, weaker=weaker, scale=scale)

    def guide(self, look: Look, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Estimate, Any]:
        """Both estimates, extrapolated; what comes with the model's."""
        found, rest = look(self.model, x, t, cond, key)
        return interpolate(self.weaker.estimate(x, t, cond, key=key), found, self.scale), rest
