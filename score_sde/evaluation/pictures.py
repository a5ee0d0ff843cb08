"""Sample grids, strips and animations: images in data units as PNG and GIF."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from score_sde.errors import InputError
from score_sde.evaluation.checks import require_same_event
from score_sde.evaluation.files import replace_file

SEPARATOR = (62, 84, 120)  # slate blue: no gray of an image can be taken for it
MARGIN = 3  # pixels between tiles
TILE = 64  # small images are enlarged to about this many pixels
LABEL = 16  # height of a row of labels


def save_grid(
    path: str | os.PathLike[str],
    images: np.ndarray,
    *,
    low: float,
    high: float,
    columns: int | None = None,
    tile: int = TILE,
) -> Path:
    """A grid of images (N, height, width, channels) or (N, height, width) as PNG.

    ``low`` is black and ``high`` white (values beyond are cut, NaN is magenta); 1 or 3 channels; the
    grid is as square as it can be unless ``columns`` is given. Small images are enlarged by a whole
    number without smoothing, to about ``tile`` pixels. Raises InputError for anything else.
    """
    return save_png(path, grid(to_pixels(images, low, high, tile), columns))


def save_comparison(
    path: str | os.PathLike[str],
    samples: np.ndarray,
    neighbors: np.ndarray,
    *,
    low: float,
    high: float,
    columns: int = 10,
    labels: tuple[str, str] = ("sample", "nearest"),
) -> Path:
    """Each image of ``samples`` above its partner in ``neighbors``, ``columns`` pairs a row, as PNG."""
    require_same_event("neighbors", neighbors, "samples", samples)
    if len(samples) != len(neighbors):
        raise InputError("neighbors", len(neighbors), f"{len(samples)}, one a sample", "give pairs")
    upper, lower = to_pixels(samples, low, high, TILE), to_pixels(neighbors, low, high, TILE)
    columns = min(columns, len(upper))
    blocks = []
    for start in range(0, len(upper), columns):
        part = slice(start, start + columns)
        block = grid(np.concatenate([_pad(upper[part], columns), _pad(lower[part], columns)]), columns)
        blocks.append(_beside(list(labels), block, rows=2))
    gap = np.full((8, blocks[0].shape[1], 3), 255, np.uint8)
    return save_png(path, np.concatenate([part for block in blocks for part in (block, gap)][:-1]))


def save_strip(
    path: str | os.PathLike[str],
    trajectory: np.ndarray,
    *,
    low: float,
    high: float,
    times: Sequence[float] | np.ndarray | None = None,
    columns: int = 12,
    rows: int = 8,
) -> Path:
    """A reverse process as PNG: one sample a row, time from left to right.

    ``trajectory`` is (steps, N, *image), in the order of sampling; ``columns`` of its states are shown,
    evenly spaced with the first and the last among them, with ``times`` (steps,) above them if given.
    """
    states = _trajectory(trajectory)[:, :rows]
    shown = np.unique(np.linspace(0, len(states) - 1, min(columns, len(states))).round().astype(int))
    pixels = to_pixels(states[shown].swapaxes(0, 1).reshape(-1, *states.shape[2:]), low, high, TILE)
    picture = grid(pixels, len(shown))
    if times is not None:
        if np.shape(times) != (len(states),):
            raise InputError("times.shape", np.shape(times), f"({len(states)},)", "give one time a state")
        picture = _above([f"t={float(times[i]):.2g}" for i in shown], picture)
    return save_png(path, picture)


def save_animation(
    path: str | os.PathLike[str],
    trajectory: np.ndarray,
    *,
    low: float,
    high: float,
    frames: int = 60,
    seconds: float = 4.0,
    columns: int | None = None,
) -> Path:
    """A reverse process as an endless GIF of sample grids that rests on the result for two seconds.

    ``trajectory`` is (steps, N, *image), in the order of sampling; at most ``frames`` states are shown.
    """
    states = _trajectory(trajectory)
    shown = np.unique(np.linspace(0, len(states) - 1, min(frames, len(states))).round().astype(int))
    pictures = [Image.fromarray(grid(to_pixels(states[i], low, high, 3 * TILE // 4), columns)) for i in shown]
    duration = [max(20, round(1000 * seconds / len(shown)))] * (len(shown) - 1) + [2000]
    first, *rest = [picture.quantize(64, dither=Image.Dither.NONE) for picture in pictures]
    return replace_file(
        path,
        lambda stream: first.save(
            stream, format="GIF", save_all=True, append_images=rest, duration=duration, loop=0, optimize=False
        ),
    )


def to_pixels(images: np.ndarray, low: float, high: float, tile: int = TILE) -> np.ndarray:
    """Images in data units -> uint8 (N, height, width, 3), enlarged by a whole number to about ``tile``."""
    array = np.asarray(images)
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.size == 0 or array.shape[-1] not in (1, 3):
        expected = "(N, height, width) or (N, height, width, 1 or 3)"
        raise InputError("images.shape", np.shape(images), expected, "give channels-last images")
    if not low < high:
        raise InputError("high", high, f"more than low = {low!r}", "give the range of the data")
    values = np.repeat(array, 3, axis=-1) if array.shape[-1] == 1 else array
    broken = np.isnan(values).any(axis=-1)
    scaled = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1)
    pixels = np.round(255 * np.nan_to_num(scaled)).astype(np.uint8)
    pixels[broken] = (255, 0, 255)
    scale = max(1, round(tile / max(array.shape[1:3])))
    return pixels.repeat(scale, axis=1).repeat(scale, axis=2)


def grid(pixels: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Tiles (N, h, w, 3) in rows with thin lines between and around them; a last row may stay open."""
    columns = columns or math.ceil(math.sqrt(len(pixels)))
    if columns < 1:
        raise InputError("columns", columns, "at least 1", "raise it")
    rows = math.ceil(len(pixels) / columns)
    height, width = pixels.shape[1] + MARGIN, pixels.shape[2] + MARGIN
    canvas = np.full((rows * height + MARGIN, columns * width + MARGIN, 3), SEPARATOR, np.uint8)
    for i, picture in enumerate(pixels):
        top, left = (i // columns) * height + MARGIN, (i % columns) * width + MARGIN
        canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


def save_png(path: str | os.PathLike[str], pixels: np.ndarray) -> Path:
    """Write uint8 (height, width, 3) atomically as PNG."""
    return replace_file(path, lambda stream: Image.fromarray(pixels).save(stream, format="PNG"))


def _trajectory(trajectory: np.ndarray) -> np.ndarray:
    states = np.asarray(trajectory)
    if states.ndim < 4 or states.size == 0:
        raise InputError(
            "trajectory.shape", states.shape, "(steps, N, height, width[, channels])", "stack it"
        )
    return states


def _pad(tiles: np.ndarray, count: int) -> np.ndarray:
    blank = np.broadcast_to(np.array(SEPARATOR, np.uint8), (count - len(tiles), *tiles.shape[1:]))
    return np.concatenate([tiles, blank])


def _beside(labels: list[str], picture: np.ndarray, rows: int) -> np.ndarray:
    """Write one label a row to the left of a picture."""
    font = ImageFont.load_default(12)
    width = 8 + max(round(font.getlength(label)) for label in labels)
    margin = Image.new("RGB", (width, picture.shape[0]), "white")
    draw = ImageDraw.Draw(margin)
    for i, label in enumerate(labels):
        draw.text((4, (i + 0.5) * picture.shape[0] / rows), label, fill="black", font=font, anchor="lm")
    return np.concatenate([np.asarray(margin), picture], axis=1)


def _above(labels: list[str], picture: np.ndarray) -> np.ndarray:
    """Write one label a column above a picture."""
    font = ImageFont.load_default(11)
    margin = Image.new("RGB", (picture.shape[1], LABEL), "white")
    draw = ImageDraw.Draw(margin)
    for i, label in enumerate(labels):
        x = (i + 0.5) * picture.shape[1] / len(labels)
        draw.text((x, LABEL / 2), label, fill="black", font=font, anchor="mm")
    return np.concatenate([np.asarray(margin), picture])
