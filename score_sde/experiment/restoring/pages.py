"""A restored image as PNG files, and several of them on one sheet."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.pictures import grid, save_png, to_pixels
from score_sde.experiment.restoring.one import Restoration

TILE = 96  # pixels of an image on the sheet
SAMPLES = 5  # draws shown on the sheet
ROWS = 40  # images on the sheet

Interval = tuple[float, float]


def write_pages(folder: pathlib.Path, restored: Restoration, interval: Interval) -> None:
    """``measurement.png``, ``mean.png``, ``std.png``, ``sample_*.png`` at their size, and ``draws.npz``.

    ``std.png`` is white where the standard deviation is the largest of the image (the number is in the npz).
    """
    low, high = interval
    shown = {"mean": restored.mean, "std": _std_picture(restored.std, interval)}
    seen = picture_of_measurement(restored)
    if seen is not None:
        shown["measurement"] = seen
    if restored.truth is not None:
        shown["truth"] = restored.truth
    shown |= {f"sample_{index:02d}": draw for index, draw in enumerate(restored.draws)}
    for left in (*folder.glob("sample_*.png"), folder / "truth.png"):  # of a run with more draws, or a truth
        left.unlink(missing_ok=True)
    for name, image in shown.items():
        save_png(folder / f"{name}.png", to_pixels(image[None], low, high, tile=1)[0])
    arrays: dict[str, Any] = {"draws": restored.draws, "mean": restored.mean, "std": restored.std}
    arrays |= {"measurement": np.asarray(restored.measurement.y[0])}
    arrays |= {} if restored.truth is None else {"truth": restored.truth}
    arrays |= {} if seen is None else {"picture_of_measurement": seen}
    replace_file(folder / "draws.npz", lambda stream: np.savez_compressed(stream, **arrays))


def picture_of_measurement(restored: Restoration) -> np.ndarray | None:
    """The measurement as an image: itself, or A^+ y; None of what is not linear and no image."""
    measurement = restored.measurement
    operator, y = measurement.operator, measurement.y
    if y.ndim == 4 and y.shape[-1] == operator.shape[-1]:
        return np.asarray(y[0])
    return np.asarray(operator.pseudo_inverse(y)[0]) if hasattr(operator, "pseudo_inverse") else None


def write_sheet(path: pathlib.Path, folders: list[pathlib.Path], interval: Interval) -> None:
    """A row for each image: truth, measurement, mean, standard deviation, draws."""
    tiles, columns = [], 0
    for folder in folders[:ROWS]:
        with np.load(folder / "draws.npz") as kept:
            names = ("truth", "picture_of_measurement", "mean")
            row = [_tile(kept[name], interval) for name in names if name in kept]
            row += [_tile(_std_picture(kept["std"], interval), interval)]
            row += [_tile(draw, interval) for draw in kept["draws"][:SAMPLES]]
        columns = max(columns, len(row))
        tiles += row
    if len(tiles) % columns:
        raise InputError("output folder", str(path.parent), "images restored in one way", "choose another")
    save_png(path, grid(np.stack(tiles), columns))


def _tile(image: np.ndarray, interval: Interval) -> np.ndarray:
    """Pixels (TILE, TILE, 3), enlarged without smoothing, with the aspect of squares."""
    pixels = to_pixels(image[None], *interval, tile=1)[0]
    rows = np.arange(TILE) * pixels.shape[0] // TILE
    return pixels[rows][:, np.arange(TILE) * pixels.shape[1] // TILE]


def _std_picture(std: np.ndarray, interval: Interval) -> np.ndarray:
    low, high = interval
    return low + (high - low) * std / max(float(std.max()), 1e-12)
