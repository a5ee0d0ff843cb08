"""One predictor a file: from time t to time s < t."""

from score_sde.samplers.predictors.ancestral import Ancestral
from score_sde.samplers.predictors.churned_heun import ChurnedHeun
from score_sde.samplers.predictors.ddim import DDIM
from score_sde.samplers.predictors.euler_maruyama import EulerMaruyama
from score_sde.samplers.predictors.none import NoPredictor
from score_sde.samplers.predictors.probability_flow_euler import ProbabilityFlowEuler
from score_sde.samplers.predictors.probability_flow_heun import ProbabilityFlowHeun
from score_sde.samplers.predictors.reverse_diffusion import ReverseDiffusion

__all__ = [
    "DDIM",
    "Ancestral",
    "ChurnedHeun",
    "EulerMaruyama",
    "NoPredictor",
    "ProbabilityFlowEuler",
    "ProbabilityFlowHeun",
    "ReverseDiffusion",
]
