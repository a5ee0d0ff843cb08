"""Augmentations: random changes of training data, on the device, that the network may be told of."""

from score_sde.training.augmentations.base import Augmentation, NoAugmentation
from score_sde.training.augmentations.flip import RandomFlip
from score_sde.training.augmentations.karras import KarrasAugmentation
from score_sde.training.augmentations.warps import Bicubic, Warp, Wavelet

__all__ = [
    "Augmentation",
    "Bicubic",
    "KarrasAugmentation",
    "NoAugmentation",
    "RandomFlip",
    "Warp",
    "Wavelet",
]
