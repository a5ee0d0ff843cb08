"""Laws of a measurement given what would be measured without noise."""

from score_sde.inverse.noises.gaussian import GaussianNoise
from score_sde.inverse.noises.poisson import PoissonNoise
from score_sde.inverse.noises.poisson_gaussian import PoissonGaussianNoise

__all__ = ["GaussianNoise", "PoissonGaussianNoise", "PoissonNoise"]
