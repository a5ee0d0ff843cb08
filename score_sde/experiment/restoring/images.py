"""A user's image files as values in model space."""

from __future__ import annotations

import math
import pathlib
from typing import Any

import jax.numpy as jnp
import numpy as np
from PIL import Image

from score_sde.data.images import SUFFIXES, read_image, readable
from score_sde.errors import InputError
from score_sde.inverse.base import Operator
from score_sde.typing import Array, Batch

Interval = tuple[float, float]  # black and white in model space


def image_files(path: str | pathlib.Path) -> list[pathlib.Path]:
    """The image at ``path``, or those in that folder in the order of their names."""
    given = pathlib.Path(path).expanduser()
    if given.is_dir():
        found = sorted(file for file in given.iterdir() if file.suffix.lower() in SUFFIXES)
    else:
        found = [given] if given.is_file() else []
    if not found:
        raise InputError(
            "--input", str(path), "an image, or a folder with PNG or JPEG files", "check the path"
        )
    return found


def read_brightness(file: pathlib.Path, shape: tuple[int, ...], *, resize: bool = False) -> Array:
    """One image as floats from 0 (black) to 1 (white) of ``shape`` = (height, width, channels).

    Raises:
        InputError: a file that is no image; another size, unless it is to be resized.
    """
    if len(shape) != 3 or shape[-1] not in (1, 3):
        raise InputError("shape of the data", shape, "(height, width, 1 or 3)", "only images can be restored")
    height, width, channels = shape
    if not resize:
        _require_size(file, (height, width))
    return jnp.asarray(read_image(file, (height, width), channels), jnp.float32) / 255


def read_measured(
    file: pathlib.Path, operator: Operator, interval: Interval, *, resize: bool = False
) -> Batch:
    """The measurement (1, *measured_shape) that an image file shows.

    Where the operator measures an image of as many channels, the file is that image; otherwise, as for
    hidden pixels or colours, it is an image of the data's shape which the operator measures without noise.
    """
    measured, (low, high) = operator.measured_shape, interval
    alike = len(measured) == 3 and measured[-1] == operator.shape[-1]
    image = read_brightness(file, measured if alike else operator.shape, resize=resize)
    values = (low + (high - low) * image)[None]
    return values if alike else operator(values)


def read_mask(file: pathlib.Path, shape: tuple[int, ...]) -> np.ndarray:
    """A picture of black (hidden) and white (seen) as booleans (height, width, 1).

    Raises:
        InputError: another size, or greys, of which it is unclear what they mean.
    """
    if file.suffix.lower() not in SUFFIXES:
        expected = "a PNG of black (hidden) and white (seen)"
        raise InputError("--mask", str(file), expected, "save the array as a picture: 255 where it is seen")
    _require_size(file, (shape[0], shape[1]), "make the mask of the data's size")
    levels = read_image(file, (shape[0], shape[1]), 1)
    if not np.isin(levels, (0, 255)).all():
        value = int(levels[~np.isin(levels, (0, 255))][0])
        raise InputError(
            f"mask {file}", value, "0 (hidden, black) and 255 (seen, white) only", "save it as a 1-bit PNG"
        )
    return levels > 0


def half_mask(side: str, shape: tuple[int, ...]) -> np.ndarray:
    """Booleans (height, width, 1) that hide one half of the image, or its ``center``."""
    seen = np.ones((*shape[:2], 1), bool)
    height, width = shape[0], shape[1]
    hidden: dict[str, Any] = {
        "left": np.s_[:, : width // 2],
        "right": np.s_[:, math.ceil(width / 2) :],
        "top": np.s_[: height // 2],
        "bottom": np.s_[math.ceil(height / 2) :],
        "center": np.s_[height // 4 : height - height // 4, width // 4 : width - width // 4],
    }
    if side not in hidden:
        raise InputError("--mask", side, f"an image file, or one of {', '.join(hidden)}", "see --help")
    seen[hidden[side]] = False
    return seen


def _require_size(
    file: pathlib.Path, size: tuple[int, int], remedy: str = "add --resize, or crop it"
) -> None:
    with readable(str(file)), Image.open(file) as image:
        found = image.size[::-1]
    if found != tuple(size):
        expected = f"{size[0]} x {size[1]} pixels, height x width"
        raise InputError(f"size of {file}", found, expected, remedy)
