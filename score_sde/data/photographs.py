"""Colour patches of the photographs of scikit-learn and scikit-image: real scenes with no download."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from score_sde.data.base import ArraySource, Dataset
from score_sde.data.patches import cut, smaller
from score_sde.data.scenes import photograph
from score_sde.dequantization import UniformDequantization
from score_sde.errors import InputError

SPLITS = {
    "train": ("china", "flower", "rocket", "motorcycle", "camera", "brick", "grass", "gravel"),
    "validation": ("coffee",),
    "test": ("astronaut", "chelsea"),
}
SHRINKS = (1, 2)  # of the photographs that are trained on


class Photographs(Dataset):
    """8-bit colour patches (size, size, 3) of eleven photographs, of which three are held out whole.

    Trained on are a temple, a flower, a rocket, a motorcycle, a cameraman, bricks, grass and gravel (the last
    four grey, as three equal channels), at full size and at half of it, in patches that overlap. Validation
    is a cup of coffee, test a portrait and a cat, cut side by side at full size.

    Photographs: danielbuechele and vultilion (Creative Commons Attribution 2.0, scikit-learn), the Middlebury
    stereo benchmark of 2014 (motorcycle); the others are in the public domain or CC0 (scikit-image's
    ``skimage.data`` names each author).

    Args:
        size: side of a patch in pixels.
        stride: from one training patch to the next; half a patch if it is not given.

    Raises:
        InputError: numbers that are not positive, patches larger than the smallest photograph.
    """

    def __init__(self, *, size: int = 32, stride: int | None = None) -> None:
        stride = max(size // 2, 1) if stride is None else stride
        for name, value in (("size", size), ("stride", stride)):
            if value < 1:
                raise InputError(f"data.{name}", value, "a positive number of pixels", "raise it")
        pictures = {name: [photograph(each) for each in names] for name, names in SPLITS.items()}
        shrunk = [smaller(picture, by) for picture in pictures["train"] for by in SHRINKS]
        least = min(
            min(picture.shape[:2]) for picture in (*shrunk, *pictures["validation"], *pictures["test"])
        )
        if size > least:
            raise InputError("data.size", size, f"at most {least} pixels", "lower it")
        splits = {
            "train": ArraySource(x=_patches(shrunk, size, stride)),
            "validation": ArraySource(x=_patches(pictures["validation"], size, size)),
            "test": ArraySource(x=_patches(pictures["test"], size, size)),
        }
        super().__init__(shape=(size, size, 3), units=UniformDequantization(levels=256), splits=splits)


def _patches(pictures: Sequence[np.ndarray], size: int, stride: int) -> np.ndarray:
    return np.concatenate([cut(picture[None], size, stride) for picture in pictures])
