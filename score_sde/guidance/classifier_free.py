"""Guidance by the difference that the class makes to one model."""

from __future__ import annotations

from typing import Any

from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.guidance.base import Guided, Look
from score_sde.guidance.checks import label_of, require_finite
from score_sde.guidance.labels import require_null, without_label
from score_sde.guidance.shifts import interpolate
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Condition, Key, Time


class ClassifierFree(Guided):
    """D_null + scale (D_cond - D_null), in every convention. ``ClassifierFree.of(model, scale)`` makes it.

    Scale 0 is the unconditional model, 1 the conditional one, more than 1 guides: the scale of Imagen and
    Stable Diffusion. In Ho and Salimans 2022, eq. 6, it is 1 + w. With exact models it is the score
    (1 - scale) s(x_t) + scale s(x_t | y), which is ``ClassifierGuided`` of the unconditional model by the
    classifier that the two imply, with the same scale; what that says there of densities holds here: beyond
    scale 1 the q_t are no marginals of a forward process, and no sampler draws from q_0.

    The two halves are two evaluations. One evaluation of both as a batch of twice the size was measured for
    the digits' U-Net on two CPU cores: 13 % slower at 128 images, 8 % quicker at 4.

    Attributes:
        model: trained with some labels left out, ``condition=call(ClassLabels, drop=0.1)``.
        scale: a number, or one per example.
        null: the label that stands for no class, which ``ClassLabels`` takes to be the number of classes;
            None tells the model no label, which our networks read alike.
    """

    model: Any
    scale: Array | float = 1.0
    null: int | None = static(None)

    def __post_init__(self) -> None:
        require_finite("ClassifierFree.scale", self.scale)
        require_null("ClassifierFree.null", self.null)

    @classmethod
    def of(cls, model: Denoiser, scale: Array | float, null: int | None = None) -> ClassifierFree:
        """``model`` guided to the classes that it is called with, over the same SDE."""
        return cls(sde=model.sde, model=model, scale=scale, null=null)

    def guide(self, look: Look, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Estimate, Any]:
        """Both halves, extrapolated; what comes with the conditional one."""
        label_of("ClassifierFree", cond)
        told, rest = look(self.model, x, t, cond, key)
        untold, _ = look(self.model, x, t, without_label(cond, self.null), key)
        return interpolate(untold, told, self.scale), rest
