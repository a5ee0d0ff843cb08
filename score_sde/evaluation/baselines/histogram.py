"""Independent pixels: one histogram each."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from score_sde.dequantization import UniformDequantization
from score_sde.evaluation.baselines.base import Baseline, Bits, Split, best
from score_sde.pytree import static


class PixelHistogram(Baseline):
    """Discrete and independent: p(n) = prod_d p_d(n_d). It pays no dequantisation.

    p_d(v) = (count + strength prior(v)) / (N + strength), the posterior mean under a Dirichlet prior,
    uniform or the histogram of all pixels together; which one and how strong is chosen on validation.
    """

    name: ClassVar[str] = "per-pixel histogram"
    strengths: tuple[float, ...] = static((0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0))

    def fit(self, split: Split, units: UniformDequantization, key: Any) -> tuple[Bits, str]:
        """Count, then choose the smoothing."""
        counts = pixel_counts(split.train, units.levels)
        pooled = (counts.sum(axis=0) + 1) / (counts.sum() + units.levels)
        priors = {"uniform": np.full(units.levels, 1 / units.levels), "pooled": pooled}

        def code(prior: str, strength: float) -> Bits:
            smooth = (counts + strength * priors[prior]) / (len(split.train) + strength)
            return lambda raw: -np.log2(smooth[np.arange(raw.shape[1]), raw]).mean(axis=1)

        choices = [(prior, strength) for prior in priors for strength in self.strengths]
        prior, strength = best({c: code(*c)(split.validation).mean() for c in choices})
        return code(prior, strength), f"discrete; {prior} prior worth {strength:g} images"


def pixel_counts(raw: np.ndarray, levels: int) -> np.ndarray:
    """How often each pixel takes each value: (N, D) integers -> (D, levels)."""
    dimensions = raw.shape[1]
    flat = (raw + levels * np.arange(dimensions)).ravel()
    return np.bincount(flat, minlength=levels * dimensions).reshape(dimensions, levels)
