"""What images are compared by: numbers from an image. A new extractor is one file: subclass ``Features``."""

from score_sde.evaluation.features.base import Features
from score_sde.evaluation.features.classifier import ClassifierFeatures
from score_sde.evaluation.features.decoded import Decoded
from score_sde.evaluation.features.inception import Inception
from score_sde.evaluation.features.pixels import Pixels

__all__ = ["ClassifierFeatures", "Decoded", "Features", "Inception", "Pixels"]
