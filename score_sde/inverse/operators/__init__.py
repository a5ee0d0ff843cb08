"""What instruments see of an image: linear operators with adjoints and decompositions, and others."""

from score_sde.inverse.operators.average_pooling import AveragePooling
from score_sde.inverse.operators.dense import Dense
from score_sde.inverse.operators.identity import Identity
from score_sde.inverse.operators.mask import Mask
from score_sde.inverse.operators.separable import Separable

__all__ = ["AveragePooling", "Dense", "Identity", "Mask", "Separable"]
