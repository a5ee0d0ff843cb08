"""Figures of toy densities, training curves, the ladder and distances, without pyplot's global state."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from score_sde.errors import InputError
from score_sde.evaluation.checks import as_rows
from score_sde.evaluation.files import replace_file

BLUE, ORANGE, GRAY = "#3b6ea8", "#d9782d", "#9aa3ad"
CHANNELS = ("#c23b3b", "#3f8f4f", BLUE)  # red, green, blue


def save_scatter(
    path: str | os.PathLike[str], panels: Mapping[str, np.ndarray], *, limit: float | None = None
) -> Path:
    """Point sets (N, 2) side by side on the same axes, one panel a title."""
    if not panels:
        raise InputError("panels", {}, "at least one set of points", "give one")
    points = {title: _points(title, values) for title, values in panels.items()}
    limit = limit or 1.05 * max(float(np.nanmax(np.abs(values))) for values in points.values())
    figure, axes = _panels(len(points), 3.4)
    for axis, (title, values) in zip(axes, points.items(), strict=True):
        size = float(np.clip(6000 / len(values), 1.5, 12))
        axis.scatter(*values.T, s=size, color=BLUE, alpha=0.5, linewidths=0)
        _square(axis, title, limit)
    return _save(path, figure)


def save_density(
    path: str | os.PathLike[str],
    log_prob: Callable[[np.ndarray], Any],
    *,
    limit: float,
    samples: np.ndarray | None = None,
    title: str = "density",
    points: int = 200,
) -> Path:
    """A density on [-limit, limit]^2 from ``log_prob`` of points (N, 2), with ``samples`` beside it."""
    side = np.linspace(-limit, limit, points)
    mesh = np.stack(np.meshgrid(side, side), axis=-1)
    values = np.exp(np.asarray(log_prob(mesh.reshape(-1, 2))).reshape(points, points))
    figure, axes = _panels(1 if samples is None else 2, 3.4)
    extent = (-limit, limit, -limit, limit)
    axes[0].imshow(values, origin="lower", extent=extent, cmap="Blues", interpolation="bilinear")
    _square(axes[0], title, limit)
    if samples is not None:
        dots = _points("samples", samples)
        axes[1].scatter(
            *dots.T, s=float(np.clip(6000 / len(dots), 1.5, 12)), color=BLUE, alpha=0.5, linewidths=0
        )
        _square(axes[1], "samples", limit)
    return _save(path, figure)


def save_training_curves(
    path: str | os.PathLike[str],
    metrics: str | os.PathLike[str],
    columns: Sequence[str] = ("loss",),
    *,
    smooth: float = 0.02,
) -> Path:
    """Columns of a ``metrics.csv`` (with a ``step`` column) against the step.

    Pale: as logged. Strong: mean over a window of ``smooth`` of all rows. Empty cells are skipped.
    """
    table = read_metrics(metrics)
    missing = [name for name in ("step", *columns) if name not in table]
    if missing:
        raise InputError("columns", missing[0], f"one of {', '.join(table)}", f"look into {metrics}")
    figure, axes = _panels(len(columns), 3.0, width=5.0)
    for axis, name in zip(axes, columns, strict=True):
        there = np.isfinite(table[name])
        steps, values = table["step"][there], table[name][there]
        axis.plot(steps, values, color=BLUE, alpha=0.25, linewidth=1)
        axis.plot(
            steps, _running_mean(values, max(1, round(smooth * len(values)))), color=BLUE, linewidth=1.8
        )
        if len(values):
            # The first steps are far off: their range would flatten everything that follows.
            low, high = np.quantile(values, [0.0, 0.98])
            axis.set_ylim(low - 0.05 * (high - low), high + 0.1 * (high - low) + 1e-12)
        axis.set(xlabel="step", title=name)
        _plain(axis)
        axis.grid(axis="y", color="#e4e7ea", linewidth=0.8)
    return _save(path, figure)


def save_ladder(
    path: str | os.PathLike[str], entries: Mapping[str, Any], *, highlight: str | None = None
) -> Path:
    """Bars of bits/dim with standard errors, best at the bottom; ``highlight`` names the model.

    ``entries`` maps a name to a tuple (mean, stderr, ...), as the density ladder gives.
    """
    if not entries:
        raise InputError("entries", {}, "at least one density", "evaluate one first")
    ordered = sorted(entries.items(), key=lambda entry: entry[1][0])
    names = [name for name, _ in ordered]
    means = np.array([value[0] for _, value in ordered])
    errors = np.array([value[1] for _, value in ordered])
    figure = Figure(figsize=(6.4, 0.8 + 0.42 * len(names)), layout="constrained")
    axis = figure.add_subplot()
    colors = [ORANGE if name == highlight else BLUE for name in names]
    axis.barh(names, means, xerr=errors, color=colors, height=0.62, ecolor="#333333", capsize=2.5)
    for row, (mean, error) in enumerate(zip(means, errors, strict=True)):
        axis.text(mean + error + 0.02 * means.max(), row, f"{mean:.2f}", va="center", fontsize=10)
    axis.set(xlim=(0, 1.12 * (means + errors).max()), xlabel="bits per dimension (test), lower is better")
    _plain(axis)
    axis.tick_params(axis="y", length=0)
    return _save(path, figure)


def save_neighbor_distances(
    path: str | os.PathLike[str], sample_distances: np.ndarray, test_distances: np.ndarray
) -> Path:
    """Histograms of the distance to the nearest training example: samples and held-out data."""
    both = np.concatenate(
        [as_rows("sample_distances", sample_distances), as_rows("test_distances", test_distances)]
    )
    bins = np.linspace(0, 1.02 * float(both.max()) or 1.0, 41).tolist()
    figure, (axis,) = _panels(1, 3.0, width=5.4)
    axis.hist(test_distances, bins=bins, density=True, color=GRAY, alpha=0.7, label="test")
    axis.hist(
        sample_distances, bins=bins, density=True, histtype="step", color=ORANGE, linewidth=2, label="samples"
    )
    axis.set(xlabel="distance to the nearest training example (data units)", yticks=[])
    axis.legend(frameon=False)
    _plain(axis)
    return _save(path, figure)


def save_histograms(
    path: str | os.PathLike[str], values: np.ndarray, label_counts: Sequence[int] = (), *, bins: int = 64
) -> Path:
    """Histograms of examples (N, *event): values of each channel (last axis), and examples of each label."""
    channels = np.asarray(values).reshape(-1, np.shape(values)[-1])
    if not len(channels):
        raise InputError("values.shape", np.shape(values), "at least one example", "give some")
    figure, axes = _panels(2 if len(label_counts) else 1, 3.0, width=5.0)
    named = len(CHANNELS) == channels.shape[1]
    shown = list(zip(channels.T, CHANNELS, strict=True)) if named else [(channels.ravel(), BLUE)]
    low, high = float(channels.min()), float(channels.max())
    whole = high - low < 256 and bool(np.all(channels == np.floor(channels)))  # a bin for each level
    edges = np.arange(low - 0.5, high + 1) if whole else np.linspace(low, high + 1e-12, bins + 1)
    style = "step" if named else "stepfilled"
    for channel, color in shown:
        axes[0].hist(channel, bins=edges.tolist(), density=True, histtype=style, color=color)
    axes[0].set(xlabel="value (data units)", yticks=[], title="values" + (" by channel" if named else ""))
    if len(label_counts):
        axes[1].bar(range(len(label_counts)), label_counts, color=BLUE)
        axes[1].set(xlabel="label", title="examples of each label")
    for axis in axes:
        _plain(axis)
    return _save(path, figure)


def save_distribution(
    path: str | os.PathLike[str], values: np.ndarray, *, label: str, title: str = "", bins: int = 40
) -> Path:
    """Histogram of one finite number for each example (N,), with its mean as a line."""
    figure, (axis,) = _panels(1, 3.0, width=5.4)
    axis.hist(values, bins=min(bins, max(5, len(values) // 4)), color=BLUE, alpha=0.8)
    mean = float(np.mean(values))
    axis.axvline(mean, color=ORANGE, linewidth=2, label=f"mean {mean:.3f}")
    axis.set(xlabel=label, ylabel="examples", title=title)
    axis.ticklabel_format(axis="x", useOffset=False)
    axis.legend(frameon=False)
    _plain(axis)
    return _save(path, figure)


def read_metrics(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Columns of a CSV file as floats; empty and unreadable cells are NaN. Raises InputError without rows."""
    try:
        with open(path, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise InputError("metrics file", str(path), "a readable CSV file", str(error.strerror)) from error
    if not rows:
        raise InputError("metrics file", str(path), "a header and at least one row", "train first")
    return {name: np.array([_number(row[name]) for row in rows]) for name in rows[0] if name}


def _number(cell: str | None) -> float:
    try:
        return float(cell or "nan")
    except ValueError:
        return float("nan")


def _running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Centred mean over ``window`` values, fewer at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    i = np.arange(len(values))
    start, stop = np.maximum(i - window // 2, 0), np.minimum(i + window // 2 + 1, len(values))
    return (sums[stop] - sums[start]) / (stop - start)


def _points(where: str, values: np.ndarray) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        raise InputError(f"{where}.shape", array.shape, "(N, 2)", "scatter plots are for 2-D data")
    return array


def _panels(count: int, height: float, width: float | None = None) -> tuple[Figure, list[Any]]:
    figure = Figure(figsize=((width or height) * count, height), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def _square(axis: Any, title: str, limit: float) -> None:
    axis.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[], title=title)
    for spine in axis.spines.values():
        spine.set_color("#c8cdd2")


def _plain(axis: Any) -> None:
    axis.spines[["top", "right"]].set_visible(False)


def _save(path: str | os.PathLike[str], figure: Figure) -> Path:
    canvas = FigureCanvasAgg(figure)
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=130))
