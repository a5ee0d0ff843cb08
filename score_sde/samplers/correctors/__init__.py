"""One corrector a file: moves within a time, towards p_t."""

from score_sde.samplers.correctors.annealed_langevin import AnnealedLangevin
from score_sde.samplers.correctors.langevin import Langevin
from score_sde.samplers.correctors.metropolis_adjusted_langevin import MetropolisAdjustedLangevin
from score_sde.samplers.correctors.none import NoCorrector
from score_sde.samplers.correctors.norms import BatchMeanNorm, Norm, PerExampleNorm

__all__ = [
    "AnnealedLangevin",
    "BatchMeanNorm",
    "Langevin",
    "MetropolisAdjustedLangevin",
    "NoCorrector",
    "Norm",
    "PerExampleNorm",
]
