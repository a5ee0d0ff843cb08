"""Means over images with their intervals, the table and the picture of all numbers."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy import stats

from experiments.restoration.measure import NORMAL, TRIVIAL, Entry
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.report import table, with_error

LEVEL = 0.95  # of intervals over images
NUMBERS = ("psnr", "gain", "psnr_of_a_draw", "ssim", "coverage")
COLUMNS = ("PSNR", "more than trivial", "PSNR of a draw", "SSIM", "coverage of 90 %")
DIGITS = (2, 2, 2, 3, 3)


def interval(values: Sequence[float]) -> dict[str, float | None]:
    """The mean over images and half the width of its 95 % interval by Student's t; None of one image."""
    array = np.asarray(values, np.float64)
    if len(array) < 2:
        return {"mean": float(array.mean()), "half_width": None}
    half = stats.t.ppf((1 + LEVEL) / 2, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return {"mean": float(array.mean()), "half_width": float(half)}


def summarize(workdir: pathlib.Path, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """A point for each entry. ``gain`` is the PSNR over the trivial estimate's of the same image."""
    points, trivial = [], []
    for entry in entries:
        rows = json.loads(entry.path(workdir, ".json").read_text())["rows"]
        if entry.way == TRIVIAL:
            trivial = rows
        paired = [(row, other) for row, other in zip(rows, trivial, strict=True) if row["finite"]]
        found = [row | {"gain": row["psnr"] - other["psnr"]} for row, other in paired]
        names = [name for name in NUMBERS if found and name in found[0]]
        points.append(
            {
                "data": entry.data,
                "task": entry.task.name,
                "way": entry.way,
                "shown_as": entry.task.trivial if entry.way == TRIVIAL else entry.way,
                "images": len(rows),
                "not_finite": len(rows) - len(found),
                "seconds": float(np.median([row["seconds"] for row in rows])),
                **{name: interval([row[name] for row in found]) for name in names},
            }
        )
    return points


def best(points: Sequence[dict[str, Any]], data: str, task: str) -> str:
    """The method whose means are nearest to the truth in this task."""
    own = [point for point in points if (point["data"], point["task"]) == (data, task) and "psnr" in point]
    methods = [point for point in own if point["way"] not in (TRIVIAL, NORMAL)]
    return max(methods, key=lambda point: point["psnr"]["mean"])["way"] if methods else NORMAL


def text(points: Sequence[dict[str, Any]]) -> str:
    """The table: a row for each point."""
    rows = [
        (
            point["data"],
            point["task"],
            point["shown_as"],
            *(_number(point.get(name), digits) for name, digits in zip(NUMBERS, DIGITS, strict=True)),
            f"{point['seconds']:.1f}",
            str(point["not_finite"] or ""),
        )
        for point in points
    ]
    return table(("images", "task", "method", *COLUMNS, "seconds an image", "not finite"), rows)


def _number(value: dict[str, Any] | None, digits: int) -> str:
    return "" if value is None else with_error(value["mean"], value["half_width"], digits)


def save_plot(path: pathlib.Path, points: Sequence[dict[str, Any]]) -> pathlib.Path:
    """PSNR of every way, a panel for each task, with the coverage of its 90 % intervals beside."""
    panels = list(dict.fromkeys((point["data"], point["task"]) for point in points))
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.6 * columns, 0.4 + 2.5 * rows), layout="constrained")
    for number, (data, task) in enumerate(panels):
        axis = figure.add_subplot(rows, columns, number + 1)
        own = [point for point in points if (point["data"], point["task"]) == (data, task)]
        _panel(axis, [point for point in own if "psnr" in point])
        axis.set_title(f"{data}: {task}", fontsize=10)
    canvas = FigureCanvasAgg(figure)
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=110))


def _panel(axis: Any, points: list[dict[str, Any]]) -> None:
    for place, point in enumerate(points):
        yardstick = point["way"] in (TRIVIAL, NORMAL)
        mean, half = point["psnr"]["mean"], point["psnr"]["half_width"] or 0.0
        axis.errorbar(mean, -place, xerr=half, fmt="o", ms=5, color="#9aa3ad" if yardstick else "#3b6ea8")
        if "coverage" in point:
            axis.text(1.01, -place, f"{point['coverage']['mean']:.0%}", va="center", fontsize=8,
                      transform=axis.get_yaxis_transform())  # fmt: skip
    axis.set_yticks(-np.arange(len(points)), [point["shown_as"] for point in points], fontsize=8)
    axis.set_xlabel("PSNR of the mean, dB; right: coverage of 90 % intervals", fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="x", color="#e4e7ea", linewidth=0.8)
