"""Data sets in their own units, and batches that are a function of (seed, step)."""

from score_sde.data.arrays import Arrays
from score_sde.data.base import ArraySource, Dataset, Source
from score_sde.data.batches import Batches, in_order
from score_sde.data.digits import Digits
from score_sde.data.folder import ImageFolder
from score_sde.data.latents import Latents, LatentUnits, write_latents
from score_sde.data.patches import Patches
from score_sde.data.photographs import Photographs
from score_sde.data.streaming import StreamedBatches
from score_sde.data.synthetic import Synthetic
from score_sde.data.tfds import TFDS
from score_sde.data.toys import Checkerboard, GaussianRing, Pinwheel, Spiral, Toy, ToyMixture, TwoMoons
from score_sde.data.windows import Standardized, Windows, WindowSource

__all__ = [
    "TFDS",
    "ArraySource",
    "Arrays",
    "Batches",
    "Checkerboard",
    "Dataset",
    "Digits",
    "GaussianRing",
    "ImageFolder",
    "LatentUnits",
    "Latents",
    "Patches",
    "Photographs",
    "Pinwheel",
    "Source",
    "Spiral",
    "Standardized",
    "StreamedBatches",
    "Synthetic",
    "Toy",
    "ToyMixture",
    "TwoMoons",
    "WindowSource",
    "Windows",
    "in_order",
    "write_latents",
]
