"""Data sets in their own units, and batches that are a function of (seed, step)."""

from score_sde.data.arrays import Arrays
from score_sde.data.base import ArraySource, Dataset, Source
from score_sde.data.batches import Batches, in_order
from score_sde.data.digits import Digits
from score_sde.data.folder import ImageFolder
from score_sde.data.synthetic import Synthetic
from score_sde.data.toys import Checkerboard, GaussianRing, Pinwheel, Spiral, Toy, ToyMixture, TwoMoons

__all__ = [
    "ArraySource",
    "Arrays",
    "Batches",
    "Checkerboard",
    "Dataset",
    "Digits",
    "GaussianRing",
    "ImageFolder",
    "Pinwheel",
    "Source",
    "Spiral",
    "Synthetic",
    "Toy",
    "ToyMixture",
    "TwoMoons",
    "in_order",
]
