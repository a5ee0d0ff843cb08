"""The table of few-step models and its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from score_sde.evaluation.files import replace_file
from score_sde.evaluation.pictures import to_pixels
from score_sde.evaluation.report import table, with_error

ALLOWED = 1.5  # times the reference's distance, of the best in one step
COLORS = {False: "#3b6ea8", True: "#d9782d"}  # from data alone, from the teacher
GREY = "#9aa3ad"  # the teacher itself
LEVELS = (0.0, 16.0)  # black and white of the digits


def text(results: dict[str, Any]) -> str:
    """Distances with their intervals, and what training took."""
    heads = ("model", "evaluations", "sliced Wasserstein", "over the ODE's", "sure", "updates", "seconds")
    lines = [
        (
            row["name"],
            row["evaluations"],
            with_error(row["distance"]["mean"], row["distance"]["half_width"]),
            f"{row['ratio']:.2f}",
            f"{100 * row['confident']:.0f} %",
            row["updates"],
            f"{row['train_seconds']:.0f}",
        )
        for row in results["rows"]
    ]
    floor = results["floor"]
    lines.append(("training digits (floor)", "", with_error(floor["mean"], floor["half_width"]), *[""] * 4))
    return table(heads, lines)


def best(results: dict[str, Any]) -> dict[str, Any] | None:
    """The student of one evaluation with the smallest distance; None where none was measured."""
    singles = [row for row in results["rows"] if row["evaluations"] == 1 and row["name"][:7] != "teacher"]
    return min(singles, key=lambda row: row["distance"]["mean"]) if singles else None


def verdict(results: dict[str, Any]) -> str:
    """Whether the best model of one step is within what is allowed."""
    row = best(results)
    if row is None:
        return "no model of one step was measured"
    met = "within" if row["ratio"] <= ALLOWED else "beyond"
    return f"best in one step: {row['name']}, {row['ratio']:.2f} times the ODE's distance, {met} {ALLOWED}"


def save_distances(path: Path, results: dict[str, Any]) -> Path:
    """A bar for each entrant, with the floor, the ODE's distance and what is allowed as lines."""
    rows = results["rows"][::-1]
    figure = Figure(figsize=(8.4, 0.9 + 0.3 * len(rows)), layout="constrained")
    canvas, axis = FigureCanvasAgg(figure), figure.subplots()
    means = [row["distance"]["mean"] for row in rows]
    errors = [row["distance"]["half_width"] or 0.0 for row in rows]
    colors = [GREY if row["name"][:7] == "teacher" else COLORS[row["taught"]] for row in rows]
    axis.barh([row["name"] for row in rows], means, xerr=errors, color=colors, height=0.7, capsize=2)
    base = means[-1]
    axis.axvline(results["floor"]["mean"], color="#3f8f4f", linestyle=":", label="floor: training digits")
    axis.axvline(base, color="black", linewidth=1, label="the teacher's ODE in 64 steps")
    axis.axvline(ALLOWED * base, color="black", linewidth=1, linestyle="--", label=f"{ALLOWED} times that")
    axis.set(xlabel="sliced Wasserstein distance to held-out digits, levels of grey")
    for name, color in (("the teacher", GREY), ("from data alone", COLORS[False]), ("taught", COLORS[True])):
        axis.barh([0], [0], color=color, label=name)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=110))


def save_samples(path: Path, shown: dict[str, np.ndarray]) -> Path:
    """A row of samples for each entrant, from the same noise in each column."""
    columns = min(len(samples) for samples in shown.values())
    figure = Figure(figsize=(2.9 + 0.55 * columns, 0.57 * len(shown)))
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(len(shown), columns, squeeze=False)
    figure.subplots_adjust(left=2.8 / (2.9 + 0.55 * columns), right=0.995, top=0.99, bottom=0.01, wspace=0.06)
    for row, (name, samples) in zip(axes, shown.items(), strict=True):
        pixels = to_pixels(samples[:columns], *LEVELS, 8)
        row[0].text(-0.15, 0.5, name, transform=row[0].transAxes, ha="right", va="center", fontsize=9)
        for axis, picture in zip(row, pixels, strict=True):
            axis.imshow(picture, interpolation="nearest")
            axis.set_axis_off()
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=100))
