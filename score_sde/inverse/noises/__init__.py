"""Laws of a measurement given what would be measured without noise."""

from score_sde.inverse.noises.gaussian import GaussianNoise

__all__ = ["GaussianNoise"]
