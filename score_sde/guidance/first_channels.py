"""Classifier-free guidance of some of the channels."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.arrays import expand
from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.errors import InputError
from score_sde.guidance.base import Guided, Look
from score_sde.guidance.checks import label_of, require_finite
from score_sde.guidance.labels import require_null, without_label
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Condition, Key, Time


class FirstChannelsClassifierFree(Guided):
    """D_null + scale (D_cond - D_null) in the first channels, and D_cond in the others.

    How DiT and SiT are guided: their code extrapolates three of the four channels of a latent, for the reason
    that it was so when the published samples were drawn; the published scales are of this. Other than in
    the channels it is ``ClassifierFree``. ``FirstChannelsClassifierFree.of(model, scale)`` makes it.

    Attributes:
        model: trained with some labels left out, ``condition=call(ClassLabels, drop=0.1)``.
        scale: a number, or one per example: 1 is the conditional model; 1.5 in the papers, 4 in their demos.
        channels: how many are guided.
        null: the label that stands for no class; None tells the model no label.
    """

    model: Any
    scale: Array | float = 1.0
    channels: int = static(3)
    null: int | None = static(None)

    def __post_init__(self) -> None:
        where = type(self).__name__
        require_finite(f"{where}.scale", self.scale)
        require_null(f"{where}.null", self.null)
        if self.channels < 1:
            raise InputError(f"{where}.channels", self.channels, "a positive count", "3 is DiT's")

    @classmethod
    def of(
        cls, model: Denoiser, scale: Array | float, channels: int = 3, null: int | None = None
    ) -> FirstChannelsClassifierFree:
        """``model`` guided to the classes that it is called with, over the same SDE."""
        return cls(sde=model.sde, model=model, scale=scale, channels=channels, null=null)

    def guide(self, look: Look, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Estimate, Any]:
        """Both halves, extrapolated in some channels; what comes with the conditional one."""
        label_of(type(self).__name__, cond)
        told, rest = look(self.model, x, t, cond, key)
        untold, _ = look(self.model, x, t, without_label(cond, self.null), key)
        guided = jnp.arange(x.shape[-1]) < self.channels
        more = jnp.where(guided, expand(self.scale, x) - 1, 0)
        changed = (a + more * (a - b) for a, b in zip(told, untold, strict=True))
        return Estimate(*changed), rest
