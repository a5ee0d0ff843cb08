"""Training objectives. Their parts are objects: times, weights, perturbations, divergences."""

from score_sde.objectives.adjacent_times import (
    Cells,
    Curriculum,
    DoublingIntervals,
    EqualCells,
    FixedIntervals,
    KarrasPairs,
    LogNormalCells,
    SquareRootIntervals,
)
from score_sde.objectives.autoencoding import Autoencoding
from score_sde.objectives.base import (
    AdjacentTimes,
    Distance,
    Loss,
    Objective,
    Pair,
    Perturbation,
    Times,
    Uniforms,
    Weighting,
)
from score_sde.objectives.beside import GivenChannels
from score_sde.objectives.classification import NoisyClassification
from score_sde.objectives.consistency import (
    AveragedTarget,
    Consistency,
    OwnTarget,
    Target,
    equal_weights,
    inverse_gaps,
)
from score_sde.objectives.consistency_distillation import ConsistencyDistillation
from score_sde.objectives.consistency_training import ConsistencyTraining, ImprovedConsistencyTraining
from score_sde.objectives.denoising import DenoisingScoreMatching
from score_sde.objectives.discrete import DDPMLoss, DiscreteLoss, Level, SMLDLoss
from score_sde.objectives.distances import PseudoHuber, SquaredDistance
from score_sde.objectives.hybrid import HybridLoss
from score_sde.objectives.implicit import (
    ClosedKernel,
    ImplicitScoreMatching,
    SimulatedPath,
    SlicedScoreMatching,
)
from score_sde.objectives.mean_flow import ConditionalVelocity, MeanFlow, PathVelocity, TeacherVelocity
from score_sde.objectives.progressive_distillation import ProgressiveDistillation
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
    TruncatedSNR,
    Unweighted,
)

__all__ = [
    "AdjacentTimes",
    "Autoencoding",
    "AveragedTarget",
    "Cells",
    "ClosedKernel",
    "ConditionalVelocity",
    "Consistency",
    "ConsistencyDistillation",
    "ConsistencyTraining",
    "Curriculum",
    "DDPMLoss",
    "DataSquared",
    "DataWeighting",
    "DenoisingScoreMatching",
    "DiscreteLoss",
    "Distance",
    "DoublingIntervals",
    "EDMWeighting",
    "EqualCells",
    "FixedIntervals",
    "FlowMatching",
    "GivenChannels",
    "HybridLoss",
    "ImplicitScoreMatching",
    "ImprovedConsistencyTraining",
    "Independent",
    "KarrasPairs",
    "Level",
    "LikelihoodImportance",
    "LikelihoodWeighting",
    "LogNormalCells",
    "LogNormalSigma",
    "LogitNormal",
    "Loss",
    "MeanFlow",
    "MinSNR",
    "MixtureTimes",
    "NoiseWeighting",
    "NoisyClassification",
    "Objective",
    "OwnTarget",
    "Pair",
    "PathVelocity",
    "Perturbation",
    "ProgressiveDistillation",
    "PseudoHuber",
    "QuantileTimes",
    "SMLDLoss",
    "ScoreWeighting",
    "SigmaSquared",
    "SimulatedPath",
    "SlicedScoreMatching",
    "SquareRootIntervals",
    "SquaredDiffusion",
    "SquaredDistance",
    "Stratified",
    "Target",
    "TeacherVelocity",
    "Times",
    "TruncatedSNR",
    "UnbiasedRisk",
    "UniformLogSNR",
    "UniformSteps",
    "UniformTimes",
    "Uniforms",
    "Unweighted",
    "Weighting",
    "equal_weights",
    "inverse_gaps",
]
