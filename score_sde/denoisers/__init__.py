"""Models seen as denoisers E[x_0 | x_t]: in closed form, or a network behind a preconditioning."""

from score_sde.denoisers.base import Denoiser, Estimate, ScoreModel
from score_sde.denoisers.exact import Empirical, Gaussian, GaussianMixture

__all__ = [
    "Denoiser",
    "Empirical",
    "Estimate",
    "Gaussian",
    "GaussianMixture",
    "ScoreModel",
]
