"""The table of networks and its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import t as student

from score_sde.evaluation.files import replace_file
from score_sde.evaluation.report import table, with_error

SMOOTHED = 20  # logged losses of a moving average


def text(results: dict[str, Any]) -> str:
    """A line for each network, and the floor."""
    heads = (
        "network",
        "parameters",
        "updates",
        "a second",
        "minutes",
        "loss",
        "bits/dim",
        "Frechet",
        "sliced W.",
    )
    lines = [
        (
            row["name"],
            f"{row['parameters']:,}",
            f"{row['updates']:,}",
            f"{row['updates'] / row['train_seconds']:.2f}" if row["train_seconds"] else "",
            f"{row['train_seconds'] / 60:.1f}",
            with_error(row["loss"], row["loss_stderr"]),
            with_error(row["bits_per_dim"], row["bits_per_dim_stderr"]),
            interval(row["distances"], "frechet"),
            interval(row["distances"], "sliced_wasserstein"),
        )
        for row in results["rows"]
    ]
    ends = [interval(results["floor"], name) for name in ("frechet", "sliced_wasserstein")]
    return table(heads, [*lines, ("training images (floor)", *[""] * 6, *ends)])


def interval(distances: list[dict[str, float]], name: str) -> str:
    """Mean and half of the 95 % interval over seeds."""
    values = [each[name] for each in distances]
    n = len(values)
    half = float(student.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else None
    return with_error(float(np.mean(values)), half)


def save_curves(path: Path, runs: dict[str, tuple[Path, float]]) -> Path:
    """Training loss against minutes; ``runs`` are each a ``metrics.csv`` and updates a minute."""
    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    canvas, axis = FigureCanvasAgg(figure), figure.subplots()
    for name, (metrics, rate) in runs.items():
        rows = np.atleast_2d(np.genfromtxt(metrics, delimiter=",", skip_header=1, usecols=(0, 1)))
        width = min(SMOOTHED, len(rows))
        smooth = np.convolve(rows[:, 1], np.ones(width) / width, "valid")
        axis.plot(rows[width - 1 :, 0] / rate, smooth, label=name)
    axis.set(xlabel="minutes of training", ylabel=f"training loss, mean of {SMOOTHED} logged", yscale="log")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=110))


def save_samples(path: Path, sets: dict[str, np.ndarray], columns: int = 20) -> Path:
    """Two rows of samples for each network, class after class."""
    figure = Figure(figsize=(1.3 + 0.5 * columns, 1.05 * len(sets)))
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(len(sets), 1, squeeze=False)[:, 0]
    figure.subplots_adjust(left=1.3 / (1.3 + 0.5 * columns), right=0.995, top=0.99, bottom=0.01, hspace=0.08)
    for axis, (name, x) in zip(axes, sets.items(), strict=True):
        kept = x[: len(x) // columns * columns][: 2 * columns, ..., 0]
        count, height, width = kept.shape
        rows = kept.reshape(count // columns, columns, height, width).transpose(0, 2, 1, 3)
        axis.imshow(rows.reshape(-1, columns * width), cmap="gray", vmin=0, vmax=x.max())
        axis.text(-0.01, 0.5, name, transform=axis.transAxes, ha="right", va="center", fontsize=10)
        axis.set_axis_off()
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=100))
