"""Inverse problems: operators, noises, and methods that draw from p(x_0 | y)."""

from score_sde.inverse.base import (
    GuidedMethod,
    LinearOperator,
    Measurement,
    Method,
    Noise,
    Operator,
    ParticleMethod,
    Particles,
    SpectralOperator,
    SteppedMethod,
)
from score_sde.inverse.methods import (
    DPS,
    MCG,
    MMPS,
    TMPD,
    AdaptivePiGDM,
    GaussianScore,
    PiGDM,
)

__all__ = [
    "DPS",
    "MCG",
    "MMPS",
    "TMPD",
    "AdaptivePiGDM",
    "GaussianScore",
    "GuidedMethod",
    "LinearOperator",
    "Measurement",
    "Method",
    "Noise",
    "Operator",
    "ParticleMethod",
    "Particles",
    "PiGDM",
    "SpectralOperator",
    "SteppedMethod",
]
