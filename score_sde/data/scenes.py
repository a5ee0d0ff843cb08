"""Whole pictures to take patches from: photographs that come with packages, or a file."""

from __future__ import annotations

import pathlib

import numpy as np

from score_sde.data.images import MODES, readable
from score_sde.errors import InputError, did_you_mean

SCIKIT_LEARN = ("china", "flower")
SCIKIT_IMAGE = (
    "astronaut",
    "brick",
    "camera",
    "chelsea",
    "coffee",
    "grass",
    "gravel",
    "motorcycle",
    "rocket",
)  # skimage.data has more, which it downloads


def scene(name: str, where: str = "picture") -> np.ndarray:
    """A photograph by its name, or an image file by its path: 8-bit (height, width, 3).

    ``where`` is what a mistake is said to be in.

    Raises:
        InputError: neither a name nor a file, or a file that is no image.
    """
    if name in SCIKIT_LEARN or name in SCIKIT_IMAGE:
        return photograph(name)
    file = pathlib.Path(name).expanduser()
    if not file.is_file():
        expected = f"an image file, or one of {', '.join(sorted((*SCIKIT_LEARN, *SCIKIT_IMAGE)))}"
        remedy = did_you_mean(name, [*SCIKIT_LEARN, *SCIKIT_IMAGE]) or "check the path"
        raise InputError(where, name, expected, remedy)
    return _read(file)


def photograph(name: str) -> np.ndarray:
    """One of the photographs, 8-bit (height, width, 3)."""
    from skimage import data  # slow to import, as scikit-learn is: only where it is used
    from sklearn.datasets import load_sample_image

    if name in SCIKIT_LEARN:
        return np.asarray(load_sample_image(f"{name}.jpg"))
    picture = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    return np.asarray(picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=-1))


def _read(file: pathlib.Path) -> np.ndarray:
    from PIL import Image, ImageOps

    with readable(str(file)), Image.open(file) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I"):  # 16 bits, which convert() would cut off at 255
            upright = Image.fromarray((np.asarray(upright, np.uint32) >> 8).astype(np.uint8))
        return np.asarray(upright.convert(MODES[3]))
