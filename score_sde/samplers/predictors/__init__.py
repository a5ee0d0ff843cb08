"""One predictor a file: from time t to time s < t."""

from score_sde.samplers.predictors.adams_bashforth import AdamsBashforth
from score_sde.samplers.predictors.ancestral import Ancestral
from score_sde.samplers.predictors.churned_heun import ChurnedHeun
from score_sde.samplers.predictors.ddim import DDIM
from score_sde.samplers.predictors.deis import DEIS
from score_sde.samplers.predictors.dpm_solver_pp_2m import DPMSolverPP2M
from score_sde.samplers.predictors.dpm_solver_pp_2s import DPMSolverPP2S
from score_sde.samplers.predictors.dpm_solver_pp_3m import DPMSolverPP3M
from score_sde.samplers.predictors.dpm_solver_v3 import DPMSolverV3
from score_sde.samplers.predictors.euler_maruyama import EulerMaruyama
from score_sde.samplers.predictors.exponential_euler_maruyama import ExponentialEulerMaruyama
from score_sde.samplers.predictors.exponential_heun import ExponentialHeun
from score_sde.samplers.predictors.exponential_multistep import ExponentialMultistep
from score_sde.samplers.predictors.exponential_rk4 import ExponentialRK4
from score_sde.samplers.predictors.interpolant_euler import InterpolantEuler
from score_sde.samplers.predictors.none import NoPredictor
from score_sde.samplers.predictors.probability_flow_euler import ProbabilityFlowEuler
from score_sde.samplers.predictors.probability_flow_heun import ProbabilityFlowHeun
from score_sde.samplers.predictors.reverse_diffusion import ReverseDiffusion
from score_sde.samplers.predictors.sa_solver import SASolver
from score_sde.samplers.predictors.unipc import B1, B2, StepSize, UniPC

__all__ = [
    "B1",
    "B2",
    "DDIM",
    "DEIS",
    "AdamsBashforth",
    "Ancestral",
    "ChurnedHeun",
    "DPMSolverPP2M",
    "DPMSolverPP2S",
    "DPMSolverPP3M",
    "DPMSolverV3",
    "EulerMaruyama",
    "ExponentialEulerMaruyama",
    "ExponentialHeun",
    "ExponentialMultistep",
    "ExponentialRK4",
    "InterpolantEuler",
    "NoPredictor",
    "ProbabilityFlowEuler",
    "ProbabilityFlowHeun",
    "ReverseDiffusion",
    "SASolver",
    "StepSize",
    "UniPC",
]
