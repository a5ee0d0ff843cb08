"""The spectrum of an operator, and what a measurement says of it."""

from score_sde.inverse.spectral.base import Seen

__all__ = ["Seen"]
