"""Models seen as denoisers E[x_0 | x_t]: in closed form, or a network behind a preconditioning."""

from score_sde.denoisers.autoencoder import Autoencoder
from score_sde.denoisers.base import (
    Affine,
    Coefficients,
    Denoiser,
    Estimate,
    Labels,
    Preconditioning,
    ScoreModel,
)
from score_sde.denoisers.clipped import Clipped
from score_sde.denoisers.consistency import ConsistencyPrecondition
from score_sde.denoisers.deterministic import Deterministic
from score_sde.denoisers.discrete import (
    DDPMPrecondition,
    DiscretePreconditioning,
    SMLDPrecondition,
    SMLDScorePrecondition,
    ddpm_tables,
    smld_sigma,
)
from score_sde.denoisers.ends import ending
from score_sde.denoisers.exact import Empirical, Gaussian, GaussianMixture
from score_sde.denoisers.isotropic import IsotropicMixture
from score_sde.denoisers.karras import (
    HalfSigmaLabels,
    IDDPMLabels,
    IDDPMPrecondition,
    VEPrecondition,
    VPPrecondition,
    VPTimeLabels,
    iddpm_ratios,
)
from score_sde.denoisers.labels import (
    DataTimeLabels,
    LogSigmaLabels,
    LogSNRLabels,
    SigmaLabels,
    StepLabels,
    TimeLabels,
)
from score_sde.denoisers.noisy_classifier import NoisyClassifier
from score_sde.denoisers.preconditioned import (
    AverageVelocity,
    Dequantizing,
    LearnedRange,
    Preconditioned,
    ScoreNetwork,
)
from score_sde.denoisers.preconditioning import (
    DataPrediction,
    DatawardVelocity,
    EDMPrecondition,
    NoisePrediction,
    ScorePrediction,
    ScoreTimesStd,
    VelocityPrediction,
    VPrediction,
)
from score_sde.denoisers.tiled import Tiled
from score_sde.denoisers.tiles import Covering, Layout, Middle, Tapered, Weights, Wrapping

__all__ = [
    "Affine",
    "Autoencoder",
    "AverageVelocity",
    "Clipped",
    "Coefficients",
    "ConsistencyPrecondition",
    "Covering",
    "DDPMPrecondition",
    "DataPrediction",
    "DataTimeLabels",
    "DatawardVelocity",
    "Denoiser",
    "Dequantizing",
    "Deterministic",
    "DiscretePreconditioning",
    "EDMPrecondition",
    "Empirical",
    "Estimate",
    "Gaussian",
    "GaussianMixture",
    "HalfSigmaLabels",
    "IDDPMLabels",
    "IDDPMPrecondition",
    "IsotropicMixture",
    "Labels",
    "Layout",
    "LearnedRange",
    "LogSNRLabels",
    "LogSigmaLabels",
    "Middle",
    "NoisePrediction",
    "NoisyClassifier",
    "Preconditioned",
    "Preconditioning",
    "SMLDPrecondition",
    "SMLDScorePrecondition",
    "ScoreModel",
    "ScoreNetwork",
    "ScorePrediction",
    "ScoreTimesStd",
    "SigmaLabels",
    "StepLabels",
    "Tapered",
    "Tiled",
    "TimeLabels",
    "VEPrecondition",
    "VPPrecondition",
    "VPTimeLabels",
    "VPrediction",
    "VelocityPrediction",
    "Weights",
    "Wrapping",
    "ddpm_tables",
    "ending",
    "iddpm_ratios",
    "smld_sigma",
]
