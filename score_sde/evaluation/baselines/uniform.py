"""The floor of the ladder: every value equally likely."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from score_sde.dequantization import UniformDequantization
from score_sde.evaluation.baselines.base import Baseline, Bits, Split


class Uniform(Baseline):
    """log2(levels) bits per dimension, whatever the data."""

    name: ClassVar[str] = "uniform"

    def fit(self, split: Split, units: UniformDequantization, key: Any) -> tuple[Bits, str]:
        """Nothing is learnt."""
        return lambda raw: np.full(len(raw), np.log2(units.levels)), f"log2({units.levels})"
