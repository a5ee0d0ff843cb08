"""Curves and sample grids of the guidance experiment."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from experiments.guidance.curves import file_name
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.pictures import grid, save_grid, save_png, to_pixels

COLORS = ("#3b6ea8", "#7fa8d1", "#d9782d", "#e8b489", "#3f8f4f")
LEVELS = (0.0, 16.0)  # black and white of the digits
CLASSES = 10
MARGIN = 84  # pixels for the names of rows


def save_curves(path: pathlib.Path, results: dict[str, Any]) -> pathlib.Path:
    """Accuracy, precision and recall against the scale, and precision against recall."""
    figure = Figure(figsize=(13.2, 3.6), layout="constrained")
    axes = figure.subplots(1, 4)
    points, real = results["points"], results["real"]
    names = list(dict.fromkeys(point["method"] for point in points))
    for name, color in zip(names, COLORS, strict=False):
        own = [point for point in points if point["method"] == name]
        scales = [point["scale"] for point in own]
        for axis, what in zip(axes, ("accuracy", "precision", "recall"), strict=False):
            axis.plot(scales, [point[what] for point in own], "o-", color=color, label=name, markersize=4)
        both = [[point[what] for point in own] for what in ("recall", "precision")]
        axes[3].plot(*both, "o-", color=color, markersize=4)
    for axis, what in zip(axes, ("accuracy", "precision", "recall"), strict=False):
        axis.axhline(real[what], color="#9aa3ad", linestyle="--", linewidth=1, label="real digits")
        axis.set(xlabel="scale", title=what)
    axes[3].plot(real["recall"], real["precision"], "*", color="#9aa3ad", markersize=11)
    axes[3].set(xlabel="recall", title="precision against recall")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#e4e7ea", linewidth=0.8)
    axes[0].legend(frameon=False, fontsize=8, loc="lower right")
    canvas = FigureCanvasAgg(figure)
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=110))


def save_grids(workdir: pathlib.Path, results: dict[str, Any]) -> list[pathlib.Path]:
    """A grid for each point, and for each method a picture with a row of the ten classes for each scale."""
    rows: dict[str, list[tuple[str, np.ndarray]]] = {}
    written = []
    for point in results["points"]:
        name = f"{file_name(point['method'])}_{point['scale']:g}"
        with np.load(workdir / "samples" / f"{name}.npz") as arrays:
            samples = arrays["samples"]
        path = workdir / "grids" / f"{name}.png"
        save_grid(path, samples[: 10 * CLASSES], low=LEVELS[0], high=LEVELS[1], columns=CLASSES, tile=32)
        written.append(path)
        rows.setdefault(point["method"], []).append((f"scale {point['scale']:g}", samples[:CLASSES]))
    for method, own in rows.items():
        written.append(save_png(workdir / f"{file_name(method)}.png", _rows(own)))
    return written


def _rows(rows: list[tuple[str, np.ndarray]]) -> np.ndarray:
    pixels = to_pixels(np.concatenate([samples for _, samples in rows]), *LEVELS, 48)
    picture = grid(pixels, CLASSES)
    margin = Image.new("RGB", (MARGIN, picture.shape[0]), "white")
    draw, font = ImageDraw.Draw(margin), ImageFont.load_default(14)
    for i, (name, _) in enumerate(rows):
        place = (6, (i + 0.5) * picture.shape[0] / len(rows))
        draw.text(place, name, fill="black", font=font, anchor="lm")
    return np.concatenate([np.asarray(margin), picture], axis=1)
