"""Denoising: how noisy data are, the estimate of least squared error, posterior draws, blind training."""

from score_sde.denoise.anscombe import Anscombe, stabilised
from score_sde.denoise.estimates import matched_time, mmse, posterior_draws, posterior_draws_given
from score_sde.denoise.from_noisy import FromNoisy
from score_sde.denoise.learnt_law import learnt_mixture
from score_sde.denoise.noise_level import NoiseLine, haar_std, noise_line, pca_std
from score_sde.denoise.risk import estimated_risk

__all__ = [
    "Anscombe",
    "FromNoisy",
    "NoiseLine",
    "estimated_risk",
    "haar_std",
    "learnt_mixture",
    "matched_time",
    "mmse",
    "noise_line",
    "pca_std",
    "posterior_draws",
    "posterior_draws_given",
    "stabilised",
]
