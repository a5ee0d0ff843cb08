"""Samplers: predictors and correctors on a grid of times, driven by one scan; and the black-box ODE."""

from score_sde.samplers.adaptive import (
    ProbabilityFlowODE,
)
from score_sde.samplers.around import Around
from score_sde.samplers.base import (
    Corrector,
    Final,
    Grid,
    Order,
    Predictor,
    Sampling,
    Step,
)
from score_sde.samplers.chain_grids import Sections, Strided
from score_sde.samplers.correctors import (
    AnnealedLangevin,
    BatchMeanNorm,
    Langevin,
    MetropolisAdjustedLangevin,
    NoCorrector,
    Norm,
    PerExampleNorm,
)
from score_sde.samplers.driver import (
    Sampler,
)
from score_sde.samplers.final import (
    Denoise,
    KeepMean,
    KeepSample,
)
from score_sde.samplers.grids import (
    Karras,
    LogSNR,
    ToZero,
    Uniform,
    UserGrid,
)
from score_sde.samplers.orders import (
    CorrectorFirst,
    PredictorFirst,
)
from score_sde.samplers.original import (
    DDPMAlpha,
    DDPMDiscretization,
    Discretization,
    EulerDiscretization,
    OriginalAncestralVE,
    OriginalAncestralVP,
    OriginalAnnealedLangevin,
    OriginalEulerMaruyama,
    OriginalGrid,
    OriginalLangevin,
    OriginalNoiseRemoval,
    OriginalReverseDiffusion,
    Reverse,
    ReverseODE,
    ReverseSDE,
    SMLDDiscretization,
    StepScale,
    UnitAlpha,
)
from score_sde.samplers.predictors import (
    DDIM,
    Ancestral,
    ChurnedHeun,
    EulerMaruyama,
    NoPredictor,
    ProbabilityFlowEuler,
    ProbabilityFlowHeun,
    ReverseDiffusion,
)
from score_sde.samplers.rounded import Rounded
from score_sde.samplers.rounding import Exact, IDDPMRounding, Rounding
from score_sde.samplers.transformed import (
    Transformed,
)
from score_sde.samplers.variances import (
    BridgeVariance,
    LearnedVariance,
    StepVariance,
    TransitionVariance,
)

__all__ = [
    "DDIM",
    "Ancestral",
    "AnnealedLangevin",
    "Around",
    "BatchMeanNorm",
    "BridgeVariance",
    "ChurnedHeun",
    "Corrector",
    "CorrectorFirst",
    "DDPMAlpha",
    "DDPMDiscretization",
    "Denoise",
    "Discretization",
    "EulerDiscretization",
    "EulerMaruyama",
    "Exact",
    "Final",
    "Grid",
    "IDDPMRounding",
    "Karras",
    "KeepMean",
    "KeepSample",
    "Langevin",
    "LearnedVariance",
    "LogSNR",
    "MetropolisAdjustedLangevin",
    "NoCorrector",
    "NoPredictor",
    "Norm",
    "Order",
    "OriginalAncestralVE",
    "OriginalAncestralVP",
    "OriginalAnnealedLangevin",
    "OriginalEulerMaruyama",
    "OriginalGrid",
    "OriginalLangevin",
    "OriginalNoiseRemoval",
    "OriginalReverseDiffusion",
    "PerExampleNorm",
    "Predictor",
    "PredictorFirst",
    "ProbabilityFlowEuler",
    "ProbabilityFlowHeun",
    "ProbabilityFlowODE",
    "Reverse",
    "ReverseDiffusion",
    "ReverseODE",
    "ReverseSDE",
    "Rounded",
    "Rounding",
    "SMLDDiscretization",
    "Sampler",
    "Sampling",
    "Sections",
    "Step",
    "StepScale",
    "StepVariance",
    "Strided",
    "ToZero",
    "Transformed",
    "TransitionVariance",
    "Uniform",
    "UnitAlpha",
    "UserGrid",
]
