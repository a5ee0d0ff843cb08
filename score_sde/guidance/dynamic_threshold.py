"""Estimates of the data that are brought back into its range example by example."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.arrays import expand, flatten
from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.errors import InputError
from score_sde.guidance.base import Guided, Look
from score_sde.guidance.shifts import shift_denoised
from score_sde.typing import Batch, Condition, Key, Time


class DynamicThreshold(Guided):
    """D cut to [-s, s] and divided by s, where s is a percentile of an example's |D| but at least 1.

    Imagen's answer to large guidance scales, whose D leaves the data's range (Saharia et al. 2022, section
    2.3). It is for a range of [-1, 1]; others are mapped to it and back.
    Where |D| stays inside, nothing changes. Static thresholding is ``denoisers.Clipped``.

    Attributes:
        model: as a rule guided.
        percentile: 0 to 100.
        low: of the data's range.
        high: of the data's range.
    """

    model: Any
    percentile: float = 99.5
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.percentile <= 100:
            raise InputError("DynamicThreshold.percentile", self.percentile, "more than 0, at most 100")
        if not self.low < self.high:
            raise InputError("DynamicThreshold.high", self.high, f"more than low = {self.low!r}")

    @classmethod
    def of(
        cls, model: Denoiser, percentile: float = 99.5, low: float = -1.0, high: float = 1.0
    ) -> DynamicThreshold:
        """``model`` with its estimates of the data brought into [low, high], over the same SDE."""
        return cls(sde=model.sde, model=model, percentile=percentile, low=low, high=high)

    def guide(self, look: Look, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Estimate, Any]:
        """The model's estimate with another D."""
        found, rest = look(self.model, x, t, cond, key)
        middle, half = 0.5 * (self.low + self.high), 0.5 * (self.high - self.low)
        unit = (found.denoised - middle) / half
        largest = jnp.percentile(jnp.abs(flatten(unit)), self.percentile, axis=1)
        beyond = expand(largest > 1, unit)
        bound = expand(jnp.maximum(largest, 1), unit)
        cut = jnp.clip(unit, -bound, bound) / bound
        # Where all but a percentile lies inside, the rest is cut at 1.
        change = jnp.where(beyond | (jnp.abs(unit) > 1), half * (cut - unit), 0)
        return shift_denoised(self.sde, t, found, change), rest
