"""Guidance: functions from denoiser to denoiser, which nest, and work with every sampler.

In a configuration ``call(Transformed, change=bind(ClassifierFree.of, scale=3.0), sampler=...)``; several
changes are several ``Transformed``, of which the outermost is applied to the model first.
"""

from score_sde.guidance.autoguided import Autoguided
from score_sde.guidance.base import Guided
from score_sde.guidance.classifier_free import ClassifierFree
from score_sde.guidance.classifier_guided import ClassifierGuided
from score_sde.guidance.dynamic_threshold import DynamicThreshold
from score_sde.guidance.first_channels import FirstChannelsClassifierFree
from score_sde.guidance.guided_score import GuidedScore
from score_sde.guidance.limited_interval import LimitedInterval
from score_sde.guidance.rescaled_classifier_free import RescaledClassifierFree
from score_sde.guidance.shifts import interpolate, shift_denoised, shift_score
from score_sde.guidance.unlabelled import Unlabelled

__all__ = [
    "Autoguided",
    "ClassifierFree",
    "ClassifierGuided",
    "DynamicThreshold",
    "FirstChannelsClassifierFree",
    "Guided",
    "GuidedScore",
    "LimitedInterval",
    "RescaledClassifierFree",
    "Unlabelled",
    "interpolate",
    "shift_denoised",
    "shift_score",
]
