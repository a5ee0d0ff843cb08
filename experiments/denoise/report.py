"""Means with their intervals, the tables, and the pictures."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from experiments.denoise.classical import FILTERS
from experiments.denoise.measure import DRAWN, DRAWS, LAWS, MIXTURE, MODEL, NOISY, SIGNALS, Entry
from experiments.denoise.waves import FILTERS as SIGNAL_FILTERS
from experiments.denoise.waves import LEARNT
from experiments.restoration.report import interval
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.pictures import grid, save_png, to_pixels
from score_sde.evaluation.report import table, with_error

IMAGE_NUMBERS = {"psnr": 2, "gain": 2, "ssim": 3, "psnr_of_a_draw": 2, "coverage": 3, "estimated": 3}
MIXTURE_NUMBERS = {"least": 4, "error": 4, "gap": 3}
SIGNAL_NUMBERS = {"gain": 2, "estimated_gain": 2}
IMAGE_COLUMNS = (
    "PSNR",
    "more than non-local means",
    "SSIM",
    "PSNR of a draw",
    "coverage of 90 %",
    "sigma, estimated / true",
)
NUMBERS = {MIXTURE: MIXTURE_NUMBERS, SIGNALS: SIGNAL_NUMBERS}
PLOTTED = {MIXTURE: "gap", SIGNALS: "gain"}
YARDSTICK = "non-local means"
TILE, HEADER = 96, 18  # pixels


def summarize(workdir: pathlib.Path, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """A point for each entry; ``gain`` is the PSNR over non-local means' of the same image."""
    read = {entry: json.loads(entry.path(workdir, ".json").read_text()) for entry in entries}
    points = []
    for entry, found in read.items():
        rows, yardstick = found["rows"], read.get(entry._replace(way=YARDSTICK))
        if yardstick is not None:  # of images
            pairs = zip(rows, yardstick["rows"], strict=True)
            rows = [row | {"gain": row["psnr"] - other["psnr"]} for row, other in pairs]
        numbers = NUMBERS.get(entry.data, IMAGE_NUMBERS)
        means = {name: interval([row[name] for row in rows]) for name in numbers if name in rows[0]}
        extra = {name: found[name] for name in ("seconds", "strength") if name in found}
        points.append({**entry._asdict(), "count": len(rows), **extra, **means})
    return points


def text(points: Sequence[dict[str, Any]]) -> str:
    """A table of mixtures, one of signals and one of images, of what was measured."""
    parts = []
    for header, numbers, own in (
        (("least error", "error", "gap, dB"), MIXTURE_NUMBERS, [p for p in points if p["data"] == MIXTURE]),
        (("gain, dB", "as estimated"), SIGNAL_NUMBERS, [p for p in points if p["data"] == SIGNALS]),
        (IMAGE_COLUMNS, IMAGE_NUMBERS, [p for p in points if p["data"] not in NUMBERS]),
    ):
        rows = [
            (
                point["data"],
                point["noise"],
                point["way"],
                *(_number(point.get(name), digits) for name, digits in numbers.items()),
                f"{point['seconds']:.2f}",
            )
            for point in own
        ]
        seconds = "seconds an image" if header == IMAGE_COLUMNS else "seconds a seed"
        parts += [table(("data", "noise", "method", *header, seconds), rows)] if rows else []
    return "\n\n".join(parts)


def _number(value: dict[str, Any] | None, digits: int) -> str:
    return "" if value is None else with_error(value["mean"], value["half_width"], digits)


def save_plot(path: pathlib.Path, points: Sequence[dict[str, Any]]) -> pathlib.Path:
    """PSNR of every way on images, and the gap on mixtures; a panel for each noise."""
    panels = list(dict.fromkeys((point["data"], point["noise"]) for point in points))
    columns = min(3, len(panels))
    figure = Figure(figsize=(4.6 * columns, 0.4 + 2.6 * -(-len(panels) // columns)), layout="constrained")
    for number, (data, noise) in enumerate(panels):
        axis = figure.add_subplot(-(-len(panels) // columns), columns, number + 1)
        own = [point for point in points if (point["data"], point["noise"]) == (data, noise)]
        _panel(axis, own, PLOTTED.get(data, "psnr"))
        axis.set_title(f"{data}: {noise}", fontsize=10)
    canvas = FigureCanvasAgg(figure)
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=110))


def _panel(axis: Any, points: Sequence[dict[str, Any]], number: str) -> None:
    for place, point in enumerate(points):
        trained = point["way"] not in (*FILTERS, *SIGNAL_FILTERS, NOISY, LAWS, "normal law")
        mean, half = point[number]["mean"], point[number]["half_width"] or 0.0
        axis.errorbar(mean, -place, xerr=half, fmt="o", ms=5, color="#3b6ea8" if trained else "#9aa3ad")
    axis.set_yticks(-np.arange(len(points)), [point["way"] for point in points], fontsize=8)
    words = {"psnr": "PSNR, dB", "gap": "dB above the least squared error", "gain": "dB less squared error"}
    axis.set_xlabel(words[number], fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="x", color="#e4e7ea", linewidth=0.8)


def save_sheets(
    workdir: pathlib.Path, entries: Sequence[Entry], points: Sequence[dict[str, Any]]
) -> list[pathlib.Path]:
    """``DATA.png``: truth, noisy, the best filter, the model's estimate and one of its draws."""
    written = []
    shown_of = [entry.data for entry in entries if entry.data not in NUMBERS and entry.noise == DRAWN]
    for data in dict.fromkeys(shown_of):
        own = {entry.way: entry for entry in entries if (entry.data, entry.noise) == (data, DRAWN)}
        filters = [p for p in points if (p["data"], p["noise"]) == (data, DRAWN) and p["way"] in FILTERS]
        best = max(filters, key=lambda point: point["psnr"]["mean"])["way"]
        kept = {way: np.load(own[way].path(workdir, ".npz")) for way in (best, MODEL, DRAWS)}
        shown = {
            "truth": kept[MODEL]["truth"],
            DRAWN: kept[MODEL]["noisy"],
            best: kept[best]["found"],
            MODEL: kept[MODEL]["found"],
            "one draw": kept[DRAWS]["draw"],
        }
        written.append(save_png(workdir / f"{data}.png", _sheet(shown)))
    return written


def save_waves(
    path: pathlib.Path, workdir: pathlib.Path, entries: Sequence[Entry], points: Sequence[dict[str, Any]]
) -> pathlib.Path:
    """Noisy signals, the best filter's estimate, and what was learnt of each alone; each over the truth."""
    names = list(dict.fromkeys(entry.noise for entry in entries if entry.data == SIGNALS))
    figure = Figure(figsize=(3.4 * len(names), 5.4), layout="constrained")
    axes = figure.subplots(3, len(names), sharex=True, sharey="col", squeeze=False)
    for column, name in enumerate(names):
        own = [point for point in points if (point["data"], point["noise"]) == (SIGNALS, name)]
        best = max((p for p in own if p["way"] in SIGNAL_FILTERS), key=lambda point: point["gain"]["mean"])
        for axis, way in zip(axes[:, column], (NOISY, best["way"], LEARNT), strict=True):
            kept = np.load(Entry(SIGNALS, name, way).path(workdir, ".npz"))
            axis.plot(kept["clean"], color="#d0892f", linewidth=1.6)
            axis.plot(kept["found"], color="#3b6ea8", linewidth=0.6)
            axis.set_title(f"{name}: {way}", fontsize=9)
            axis.spines[["top", "right"]].set_visible(False)
    canvas = FigureCanvasAgg(figure)
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=100))


def _sheet(columns: dict[str, np.ndarray]) -> np.ndarray:
    tiles = np.stack([to_pixels(images, -1, 1, TILE) for images in columns.values()], axis=1)
    picture = grid(tiles.reshape(-1, *tiles.shape[2:]), len(columns))
    header = Image.new("RGB", (picture.shape[1], HEADER), "white")
    draw, font = ImageDraw.Draw(header), ImageFont.load_default(11)
    for number, name in enumerate(columns):
        place = ((number + 0.5) * picture.shape[1] / len(columns), HEADER / 2)
        draw.text(place, name, fill="black", font=font, anchor="mm")
    return np.concatenate([np.asarray(header), picture])
