"""Density baselines of integer images. A new one is one file: subclass ``Baseline``."""

from score_sde.evaluation.baselines.base import (
    Baseline,
    BitsPerDim,
    ContinuousBaseline,
    Dequantized,
    Split,
    ladder,
    summarize,
)
from score_sde.evaluation.baselines.copula import CopulaMixture
from score_sde.evaluation.baselines.gaussian import Gaussian
from score_sde.evaluation.baselines.gaussian_mixture import GaussianMixture
from score_sde.evaluation.baselines.histogram import PixelHistogram
from score_sde.evaluation.baselines.histogram_mixture import HistogramMixture
from score_sde.evaluation.baselines.kde import KernelDensity
from score_sde.evaluation.baselines.uniform import Uniform

__all__ = [
    "Baseline",
    "BitsPerDim",
    "ContinuousBaseline",
    "CopulaMixture",
    "Dequantized",
    "Gaussian",
    "GaussianMixture",
    "HistogramMixture",
    "KernelDensity",
    "PixelHistogram",
    "Split",
    "Uniform",
    "ladder",
    "standard",
    "strongest",
    "summarize",
]


def standard() -> tuple[Baseline, ...]:
    """The textbook rungs: uniform, per-pixel histogram, Gaussian, Gaussian mixture, KDE."""
    return (Uniform(), PixelHistogram(), Gaussian(), GaussianMixture(), KernelDensity())


def strongest() -> tuple[Baseline, ...]:
    """``standard`` and the two that know what integer pixels are like: the honest list to beat."""
    return (*standard(), HistogramMixture(), CopulaMixture())
