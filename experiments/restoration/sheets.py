"""A sheet of pictures for each task: truth, measurement, yardsticks, and the best method's draws."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from experiments.restoration.measure import NORMAL, TRIVIAL, Entry
from experiments.restoration.report import best
from score_sde.evaluation.pictures import grid, save_png, to_pixels

TILE = 76  # pixels of an image, about
HEADER = 18


def save_sheets(
    workdir: pathlib.Path,
    entries: Sequence[Entry],
    points: Sequence[dict[str, Any]],
) -> list[pathlib.Path]:
    """``DATA_TASK.png`` of every task."""
    written = []
    for data, task in dict.fromkeys((entry.data, entry.task.name) for entry in entries):
        own = {entry.way: entry for entry in entries if (entry.data, entry.task.name) == (data, task)}
        way = best(points, data, task)
        kept = {name: _read(own[name], workdir) for name in (TRIVIAL, NORMAL, way)}
        path = workdir / f"{data}_{task.replace(' ', '_')}.png"
        written.append(save_png(path, _sheet(_columns(kept, way, own), kept[way]["interval"])))
    return written


def _read(entry: Entry, workdir: pathlib.Path) -> dict[str, np.ndarray]:
    with np.load(entry.path(workdir, ".npz")) as kept:
        return dict(kept)


def _columns(
    kept: dict[str, dict[str, np.ndarray]], way: str, entries: dict[str, Entry]
) -> list[tuple[str, np.ndarray]]:
    """Names and images (count, height, width, channels); deviations are taken as images from black."""
    own = kept[way]
    shown = [
        ("truth", own["truth"]),
        ("measured", own["measured"]),
        (entries[TRIVIAL].task.trivial, kept[TRIVIAL]["mean"]),
        (NORMAL, kept[NORMAL]["mean"]),
        (way, own["mean"]),
        ("deviation", own["std"]),
    ]
    return shown + [("draw", own["draws"][:, number]) for number in range(own["draws"].shape[1])]


def _sheet(columns: list[tuple[str, np.ndarray]], interval: np.ndarray) -> np.ndarray:
    low, high = interval.tolist()
    tiles = []
    for name, images in columns:
        # Deviations are drawn from black for none to white for the largest of the sheet.
        limits = (0.0, max(float(images.max()), 1e-6)) if name == "deviation" else (low, high)
        tiles.append(to_pixels(images, *limits, TILE))
    pixels = np.stack(tiles, axis=1)  # image by image, a row each
    picture = grid(pixels.reshape(-1, *pixels.shape[2:]), len(columns))
    header = Image.new("RGB", (picture.shape[1], HEADER), "white")
    draw, font = ImageDraw.Draw(header), ImageFont.load_default(11)
    for number, (name, _) in enumerate(columns):
        place = ((number + 0.5) * picture.shape[1] / len(columns), HEADER / 2)
        draw.text(place, name, fill="black", font=font, anchor="mm")
    return np.concatenate([np.asarray(header), picture])
