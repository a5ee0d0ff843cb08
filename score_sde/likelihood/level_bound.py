"""The bound of variational diffusion models on integer data."""

from __future__ import annotations

from typing import Any

from score_sde.dequantization import Units
from score_sde.likelihood.base import LogProb, Method
from score_sde.likelihood.decoders import LevelDecoder
from score_sde.likelihood.diffusion_bound import DiffusionBound
from score_sde.typing import Array, Condition, Key


class LevelBound(Method):
    """log P(raw) by ``DiffusionBound`` with a decoder over the levels: no dequantisation.

    Kingma et al. 2021, "Variational diffusion models". For models that were trained on the levels
    themselves (``Rescaled``); one that was trained on dequantised data is told of points between the
    levels, which costs it bits.

    Attributes:
        bound: its decoder is replaced by one over the levels of the data. ``t_min`` should be where
            neighbouring levels are still told apart: sigma / alpha a sixth of their distance or less.
    """

    bound: DiffusionBound = DiffusionBound()

    @property
    def statement(self) -> str:
        """What the number is."""
        return "lower bound on the log probability of the levels"

    def __call__(
        self,
        key: Key,
        model: Any,
        raw: Array,
        units: Units,
        cond: Condition = None,
        *,
        model_key: Key | None = None,
    ) -> LogProb:
        """Nats of each example; parts as ``DiffusionBound``'s."""
        values = units.level_values
        bound = self.bound.replace(decoder=LevelDecoder(values=values))
        return bound(key, model, values[raw.astype(int)], cond, model_key=model_key)
