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

__all__ = [
    "GuidedMethod",
    "LinearOperator",
    "Measurement",
    "Method",
    "Noise",
    "Operator",
    "ParticleMethod",
    "Particles",
    "SpectralOperator",
    "SteppedMethod",
]
