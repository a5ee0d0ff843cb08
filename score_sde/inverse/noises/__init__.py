"""Laws of a measurement given what would be measured without noise."""

from score_sde.inverse.noises.gaussian import GaussianNoise
from score_sde.inverse.noises.poisson import PoissonNoise

__all__ = ["GaussianNoise", "PoissonNoise"]
