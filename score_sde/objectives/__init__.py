"""Training objectives. Their parts are objects: times, weights, perturbations, divergences."""

from score_sde.objectives.base import Objective, Perturbation, Times, Uniforms, Weighting
from score_sde.objectives.classification import NoisyClassification
from score_sde.objectives.denoising import DenoisingScoreMatching
from score_sde.objectives.discrete import DDPMLoss, DiscreteLoss, Level, SMLDLoss
from score_sde.objectives.hybrid import HybridLoss
from score_sde.objectives.implicit import (
    ClosedKernel,
    ImplicitScoreMatching,
    SimulatedPath,
    SlicedScoreMatching,
)
from score_sde.objectives.times import (
    Independent,
    LikelihoodImportance,
    LogitNormal,
    LogNormalSigma,
    MixtureTimes,
    QuantileTimes,
    Stratified,
    UniformLogSNR,
    UniformSteps,
    UniformTimes,
)
from score_sde.objectives.unbiased_risk import UnbiasedRisk
from score_sde.objectives.weights import (
    DataSquared,
    DataWeighting,
    EDMWeighting,
    FlowMatching,
    LikelihoodWeighting,
    MinSNR,
    NoiseWeighting,
    ScoreWeighting,
    SigmaSquared,
    SquaredDiffusion,
    Unweighted,
)

__all__ = [
    "ClosedKernel",
    "DDPMLoss",
    "DataSquared",
    "DataWeighting",
    "DenoisingScoreMatching",
    "DiscreteLoss",
    "EDMWeighting",
    "FlowMatching",
    "HybridLoss",
    "ImplicitScoreMatching",
    "Independent",
    "Level",
    "LikelihoodImportance",
    "LikelihoodWeighting",
    "LogNormalSigma",
    "LogitNormal",
    "MinSNR",
    "MixtureTimes",
    "NoiseWeighting",
    "NoisyClassification",
    "Objective",
    "Perturbation",
    "QuantileTimes",
    "SMLDLoss",
    "ScoreWeighting",
    "SigmaSquared",
    "SimulatedPath",
    "SlicedScoreMatching",
    "SquaredDiffusion",
    "Stratified",
    "Times",
    "UnbiasedRisk",
    "UniformLogSNR",
    "UniformSteps",
    "UniformTimes",
    "Uniforms",
    "Unweighted",
    "Weighting",
]
