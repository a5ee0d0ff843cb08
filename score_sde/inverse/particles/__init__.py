"""Particle filters: many weighted draws at once, exact as their number grows, with an estimate of p(y)."""

from score_sde.inverse.particles.base import Kernel, ParticleFilter, Twist, Twisted
from score_sde.inverse.particles.mcgdiff import MCGDiff
from score_sde.inverse.particles.twisted_smc import TwistedSMC
from score_sde.inverse.particles.twists import (
    CovarianceTwist,
    IsotropicTwist,
    LinearTwist,
    NoTwist,
    PointTwist,
)
from score_sde.inverse.particles.weights import effective_sample_size, normalized, systematic

__all__ = [
    "CovarianceTwist",
    "IsotropicTwist",
    "Kernel",
    "LinearTwist",
    "MCGDiff",
    "NoTwist",
    "ParticleFilter",
    "PointTwist",
    "Twist",
    "Twisted",
    "TwistedSMC",
    "effective_sample_size",
    "normalized",
    "systematic",
]
