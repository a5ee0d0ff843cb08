"""Draws from the posterior of one image, and how good they are."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from score_sde.denoisers.base import Denoiser
from score_sde.evaluation.image_quality import UNIFORM_WINDOW, psnr, ssim
from score_sde.inverse.base import Measurement, Method
from score_sde.samplers.checks import require_denoiser
from score_sde.typing import Condition, Key

COVERAGE = 0.9  # of the intervals between quantiles of the draws


class Restoration(NamedTuple):
    """What was measured of an image, and images that agree with it; all in model space."""

    measurement: Measurement
    draws: np.ndarray  # (samples, height, width, channels)
    truth: np.ndarray | None

    @property
    def mean(self) -> np.ndarray:
        """Mean of the draws: the estimate of least squared error."""
        return self.draws.mean(axis=0)

    @property
    def std(self) -> np.ndarray:
        """Standard deviation of every value over the draws: what the measurement leaves open."""
        return self.draws.std(axis=0)

    def quality(self, interval: tuple[float, float]) -> dict[str, Any]:
        """PSNR and SSIM of the mean, mean PSNR of a draw, coverage of 90 % intervals; {} without truth."""
        if self.truth is None:
            return {}
        low, high = interval
        single = [psnr(self.truth, np.clip(draw, low, high), low=low, high=high) for draw in self.draws]
        mean = np.clip(self.mean, low, high)
        values = {
            "psnr": psnr(self.truth, mean, low=low, high=high),
            "psnr_of_a_draw": float(np.mean(single)),
            "coverage": coverage(self.draws, self.truth),
        }
        if min(self.truth.shape[:2]) >= UNIFORM_WINDOW:
            values["ssim"] = ssim(self.truth, mean, low=low, high=high)
        return values


def coverage(draws: np.ndarray, truth: np.ndarray, level: float = COVERAGE) -> float:
    """The share of values whose truth has a rank among the draws within the central ``level``.

    The rank of the truth among n draws is uniform on 0..n if they are of one law, with ties split evenly, so
    the share would be ``level`` for any n: ranks at the interval's edge count by the part that is inside.
    """
    below, ties = (draws < truth).sum(axis=0), (draws == truth).sum(axis=0)
    cells = len(draws) + 1
    start, width = below / cells, (ties + 1) / cells
    low, high = (1 - level) / 2, (1 + level) / 2
    inside = np.clip(np.minimum(start + width, high) - np.maximum(start, low), 0, None)
    return float(np.mean(inside / width))


def restore_one(
    key: Key,
    *,
    model: Denoiser,
    method: Method,
    measurement: Measurement,
    samples: int,
    cond: Condition = None,
    truth: np.ndarray | None = None,
) -> Restoration:
    """``samples`` draws given one measurement. A second image of the same kind compiles nothing."""
    require_denoiser(type(method).__name__, model)
    shape = (samples, *measurement.operator.shape)
    draws = jax.block_until_ready(method(key, model, measurement, shape, cond))
    return Restoration(measurement, np.asarray(draws, np.float32), truth)
