"""Whole pictures to take patches from: photographs that come with packages, or a file."""

from __future__ import annotations

import pathlib

import numpy as np

from score_sde.data.images import MODES, readable
from score_sde.errors import InputError

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


def scene(name: str) -> np.ndarray:
    """A photograph by its name, or an image file by its path: 8-bit (height, width, 3).

    Raises:
        InputError: neither a name nor a file, or a file that is no image.
    """
    if name in SCIKIT_LEARN or name in SCIKIT_IMAGE:
        return photograph(name)
    file = pathlib.Path(name).expanduser()
    if not file.is_file():
        expected = f"an image file, or one of {', '.join(sorted((*SCIKIT_LEARN, *SCIKIT_IMAGE)))}"
        raise InputError("picture", name, expected, "check the path")
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
        return np.asarray(ImageOps.exif_transpose(image).convert(MODES[3]))
