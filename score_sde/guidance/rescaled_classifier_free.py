"""Classifier-free guidance whose estimates keep the spread of the conditional ones."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.arrays import expand, flatten
from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.errors import InputError
from score_sde.guidance.base import Guided, Look
from score_sde.guidance.checks import label_of, require_finite
from score_sde.guidance.labels import require_null, without_label
from score_sde.guidance.shifts import interpolate, shift_denoised
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Condition, Key, Time


class RescaledClassifierFree(Guided):
    """``ClassifierFree``, whose D is then brought near the standard deviation of the conditional D.

    D (share std(D_cond) / std(D) + 1 - share), the standard deviations over the values of an example (Lin et
    al. 2024, section 3.4, with share 0.7). They rescale the output of their network, a velocity prediction;
    this rescales D, so that it means the same for every parametrisation.

    Attributes:
        model: as ``ClassifierFree``'s.
        scale: as ``ClassifierFree``'s.
        share: how much of the estimate is rescaled, 0 to 1; phi in the paper.
        null: as ``ClassifierFree``'s.
    """

    model: Any
    scale: Array | float = 1.0
    share: Array | float = 0.7
    null: int | None = static(None)

    def __post_init__(self) -> None:
        require_finite("RescaledClassifierFree.scale", self.scale)
        require_finite("RescaledClassifierFree.share", self.share)
        require_null("RescaledClassifierFree.null", self.null)

    @classmethod
    def of(
        cls, model: Denoiser, scale: Array | float, share: Array | float = 0.7, null: int | None = None
    ) -> RescaledClassifierFree:
        """``model`` guided to the classes that it is called with, over the same SDE.

        Raises:
            InputError: examples of one value, which have no standard deviation, when it is called.
        """
        return cls(sde=model.sde, model=model, scale=scale, share=share, null=null)

    def guide(self, look: Look, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Estimate, Any]:
        """Both halves, extrapolated and rescaled; what comes with the conditional one."""
        label_of("RescaledClassifierFree", cond)
        told, rest = look(self.model, x, t, cond, key)
        untold, _ = look(self.model, x, t, without_label(cond, self.null), key)
        guided = interpolate(untold, told, self.scale)
        wanted, found = _spread(told.denoised), _spread(guided.denoised)
        ratio = jnp.where(found > 0, wanted / jnp.where(found > 0, found, 1), 1)
        change = self.share * (expand(ratio, x) - 1) * guided.denoised
        return shift_denoised(self.sde, t, guided, change), rest


def _spread(x: Batch) -> Array:
    rows = flatten(x)
    if rows.shape[1] < 2:
        expected = "at least two values, for a standard deviation"
        raise InputError("values of an example", rows.shape[1], expected, "use ClassifierFree")
    return jnp.std(rows, axis=1)
