"""Images as 8-bit arrays of one size, cropped about the centre and resized."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np

from score_sde.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg")
MODES = {1: "L", 3: "RGB"}
WIDE_MODES = ("I", "F", "I;16", "I;16B", "I;16L")  # more than 8 bits: converting would clip silently
FILTERS = ("bilinear", "bicubic", "lanczos")


def read_image(
    file: pathlib.Path | IO[bytes], size: tuple[int, int], channels: int, **options: Any
) -> np.ndarray:
    """Decode one file as ``fitted`` does; ``where`` names it in errors, and is the file's name by default."""
    from PIL import Image

    where = options.setdefault("where", str(file))
    with readable(where), Image.open(file) as image:
        return fitted(image, size, channels, **options)


def fitted(
    image: Any,
    size: tuple[int, int],
    channels: int,
    *,
    crop: int | None = None,
    resampling: str = "lanczos",
    where: str = "image",
) -> np.ndarray:
    """A Pillow image as uint8 (height, width, channels).

    The square of side ``crop`` in the middle is kept first, if that is given; what is left is cropped to the
    aspect of ``size`` and resized by ``resampling``, whose filter widens where it shrinks. An image of this
    size already is not touched. InputError naming it (``where``) where it is smaller than ``crop``, has more
    than 8 bits, or cannot be decoded.
    """
    from PIL import Image, ImageOps

    if image.mode in WIDE_MODES:
        remedy = "convert it, or use score_sde.data.Arrays"
        raise InputError(f"mode of {where}", image.mode, "8 bits per channel", remedy)
    with readable(where):
        _require_opaque(image, where)
        whole = image.convert(MODES[channels])
    if whole.size[::-1] != size:
        if crop is not None:
            whole = whole.crop(central(whole.size, crop, where))
        whole = ImageOps.fit(whole, size[::-1], getattr(Image.Resampling, resampling.upper()))
    return np.asarray(whole, np.uint8).reshape(*size, channels)


def _require_opaque(image: Any, where: str) -> None:
    """Raise where pixels are transparent: what colour they have is the viewer's choice, not the file's."""
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] < 255:
        remedy = "flatten it onto a background, or save it without its alpha channel"
        raise InputError("image", where, "opaque pixels", remedy)


@contextlib.contextmanager
def readable(where: str) -> Iterator[None]:
    """Say of what Pillow cannot decode which image it is."""
    from PIL import Image

    try:
        yield
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        remedy = "remove or replace the file"
        raise InputError("image", where, f"a readable PNG or JPEG ({error})", remedy) from error


def central(size: tuple[int, int], side: int, where: str) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) of the square of this side in the middle of (width, height)."""
    if not 1 <= side <= min(size):
        raise InputError("crop", side, f"from 1 to {min(size)} pixels, the shorter side of {where}")
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return left, top, left + side, top + side


def picture(pixels: np.ndarray) -> Any:
    """A Pillow image of uint8 (height, width, channels)."""
    from PIL import Image

    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


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
