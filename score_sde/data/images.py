"""Image files as 8-bit arrays of one size."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import IO

import numpy as np

from score_sde.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg")
MODES = {1: "L", 3: "RGB"}
WIDE_MODES = ("I", "F", "I;16", "I;16B", "I;16L")  # more than 8 bits: converting would clip silently
FILTERS = ("bilinear", "bicubic", "lanczos")


def read_image(
    file: pathlib.Path | IO[bytes],
    size: tuple[int, int],
    channels: int,
    *,
    crop: int | None = None,
    resampling: str = "lanczos",
    where: str = "",
) -> np.ndarray:
    """Decode one image to uint8 (height, width, channels), cropped about the centre and resized.

    ``crop`` is the side of the square that is kept first, or None. What is left is cropped to the aspect of
    ``size`` and resized by ``resampling``, whose filter widens where it shrinks. An image of this size
    already is not touched. InputError naming the file (or ``where``) where it cannot be decoded.
    """
    from PIL import Image, ImageOps

    where = where or str(file)
    try:
        with Image.open(file) as image:
            if image.mode in WIDE_MODES:
                remedy = "convert it, or use score_sde.data.Arrays"
                raise InputError(f"mode of {where}", image.mode, "8 bits per channel", remedy)
            whole = image.convert(MODES[channels])
        if crop is not None and whole.size[::-1] != size:
            whole = whole.crop(central(whole.size, crop, where))
        fitted = ImageOps.fit(whole, size[::-1], getattr(Image.Resampling, resampling.upper()))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        remedy = "remove or replace the file"
        raise InputError("image", where, f"a readable PNG or JPEG ({error})", remedy) from error
    return np.asarray(fitted, np.uint8).reshape(*size, channels)


def resized(
    image: np.ndarray, size: tuple[int, int], *, crop: int | None, resampling: str, where: str
) -> np.ndarray:
    """A decoded image (H, W, C) cropped and resized as ``read_image`` does."""
    from PIL import Image, ImageOps

    if image.shape[:2] == size:
        return image
    whole = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    if crop is not None:
        whole = whole.crop(central(whole.size, crop, where))
    fitted = ImageOps.fit(whole, size[::-1], getattr(Image.Resampling, resampling.upper()))
    return np.asarray(fitted, np.uint8).reshape(*size, image.shape[-1])


def central(size: tuple[int, int], side: int, where: str) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) of the square of this side in the middle of (width, height)."""
    if side > min(size):
        raise InputError("crop", side, f"at most {min(size)} pixels, the shorter side of {where}")
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return left, top, left + side, top + side


def checked_size(size: int | Sequence[int]) -> tuple[int, int]:
    """Height and width; InputError unless they are positive."""
    pair = tuple(np.broadcast_to(size, (2,)).tolist()) if np.size(size) in (1, 2) else ()
    if len(pair) != 2 or min(pair) < 1:
        raise InputError("data.size", size, "a positive number of pixels, or (height, width)")
    return pair


def checked_channels(channels: int) -> int:
    """1 or 3; InputError otherwise."""
    if channels not in MODES:
        raise InputError("data.channels", channels, "1 (grey) or 3 (colour)")
    return channels
