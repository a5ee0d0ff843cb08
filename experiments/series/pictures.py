"""Fans of forecasts, hidden values, ranks, scores by step ahead, and a film."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.series.classical import CLIMATOLOGY, ETS, NAIVE, SARIMA, STRUCTURAL
from experiments.series.measure import NORMAL, PLAIN, SCORE, Entry, Size, asked, ensemble
from experiments.series.sources import SOURCES, Source
from experiments.series.tasks import BLOCK, FORECAST
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.movies import save_movie

BLUE, ORANGE, GRAY, BLACK = "#3b6ea8", "#d9782d", "#9aa3ad", "#222222"
COLOURS = {SCORE: ORANGE, NORMAL: "#3f8f4f"}
LINES = {  # of ways that are drawn beside one another
    CLIMATOLOGY: ("#9aa3ad", "--"),
    NAIVE: ("#222222", ":"),
    ETS: ("#8a5fa8", "-."),
    SARIMA: (BLUE, "-"),
    STRUCTURAL: ("#59a5c9", "-"),
    NORMAL: ("#3f8f4f", "-"),
    SCORE: (ORANGE, "-"),
    PLAIN: ("#e3b48f", "--"),
}
BANDS = ((0.05, 0.95, 0.25), (0.25, 0.75, 0.45))  # quantiles, and how strong they are drawn
SHOWN = (SARIMA, SCORE)  # beside one another
FRAMES = 40  # of a film, at most
RATE = 6.0  # frames a second


def save_all(workdir: pathlib.Path, results: dict[str, Any], size: Size) -> list[pathlib.Path]:
    """All pictures; their paths."""
    written = [
        save_fans(workdir, size, FORECAST, "forecasts.png"),
        save_fans(workdir, size, BLOCK, "imputations.png"),
        save_ranks(workdir / "ranks.png", results),
        save_steps(workdir / "steps.png", results),
    ]
    return [*written, save_film(workdir, size)]


def save_fans(workdir: pathlib.Path, size: Size, name: str, file: str) -> pathlib.Path:
    """Three windows of each series by two ways, with the truth."""
    figure = Figure(figsize=(11, 2.5 * len(size.sources) + 0.4), layout="constrained")
    axes = figure.subplots(len(size.sources), len(SHOWN), squeeze=False, sharey="row")
    for row, source_name in enumerate(size.sources):
        source = SOURCES[source_name]()
        task = asked(source, name, size)
        chosen = _apart(source, task)
        for column, way in enumerate(SHOWN):
            axis, members = axes[row][column], ensemble(Entry(source_name, way, 0), workdir, name)
            _draw_series(axis, source, int(task.starts[chosen[0]]))
            for number in chosen:
                places = int(task.starts[number]) + np.flatnonzero(~task.seen[number])
                draw_fan(axis, source.times[places], members[:, number], COLOURS.get(way, BLUE))
            axis.set_title(f"{source_name}: {way}", fontsize=10)
        axes[row][0].set_ylabel(source.unit, fontsize=9)
    return _saved(figure, workdir / file)


def _apart(source: Source, task: Any) -> list[int]:
    """Up to three windows, of which no two share a hidden value, the last among them."""
    stride = int(task.starts[1] - task.starts[0]) if len(task.starts) > 1 else 1
    step = -(-source.shape.horizon // stride) + 1
    last = len(task.starts) - 1
    return sorted({max(0, last - 2 * step), max(0, last - step), last})


def _draw_series(axis: Any, source: Source, start: int) -> None:
    axis.plot(source.times[start:], source.values[start:], color=BLACK, linewidth=1)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)


def draw_fan(axis: Any, times: np.ndarray, members: np.ndarray, colour: str) -> None:
    """Bands of 50 and 90 % and the median of an ensemble (members, places)."""
    for low, high, strength in BANDS:
        ends = np.quantile(members, [low, high], axis=0)
        axis.fill_between(times, *ends, color=colour, alpha=strength, linewidth=0)
    axis.plot(times, np.median(members, axis=0), color=colour, linewidth=1.4)


def save_ranks(path: pathlib.Path, results: dict[str, Any]) -> pathlib.Path:
    """Where the truth falls among the members of forecasts, in tenths: flat is right."""
    ways = (NAIVE, ETS, SARIMA, NORMAL, SCORE)
    points = {(p["series"], p["way"]): p for p in results["points"] if p["task"] == FORECAST}
    series = list(dict.fromkeys(name for name, _ in points))
    figure = Figure(figsize=(2.2 * len(ways), 1.7 * len(series) + 0.3), layout="constrained")
    axes = figure.subplots(len(series), len(ways), squeeze=False, sharex=True, sharey=True)
    for row, name in enumerate(series):
        for column, way in enumerate(ways):
            axis = axes[row][column]
            if (name, way) in points:
                shares = _tenths(np.asarray(points[name, way]["ranks"], float))
                axis.bar(np.arange(10) + 0.5, shares, width=0.9, color=COLOURS.get(way, GRAY))
            axis.axhline(0.1, color=BLACK, linewidth=0.8, linestyle=":")
            axis.set_xticks([0, 5, 10], ["0", "50", "100 %"], fontsize=7)
            axis.spines[["top", "right"]].set_visible(False)
            axis.tick_params(labelsize=7)
            axis.set_title(f"{name}: {way}" if column == 0 else way, fontsize=8)
    return _saved(figure, path)


def _tenths(ranks: np.ndarray) -> np.ndarray:
    """Shares of ten equal parts of the ranks, those on a border divided between both."""
    edges = np.linspace(0, len(ranks), 11)
    total = np.interp(edges, np.arange(len(ranks) + 1), np.append(0, np.cumsum(ranks)))
    return np.diff(total) / total[-1]


def save_steps(path: pathlib.Path, results: dict[str, Any]) -> pathlib.Path:
    """CRPS of forecasts by how far ahead."""
    points = [p for p in results["points"] if p["task"] == FORECAST]
    series = list(dict.fromkeys(p["series"] for p in points))
    figure = Figure(figsize=(3.8 * len(series) + 1.6, 3.4), layout="constrained")
    axes = figure.subplots(1, len(series), squeeze=False)[0]
    for axis, name in zip(axes, series, strict=True):
        for point in (p for p in points if p["series"] == name):
            steps, way = np.asarray(point["by_step"], float), point["way"]
            colour, style = LINES[way]
            axis.plot(1 + np.arange(len(steps)), steps, linestyle=style, color=colour, label=way)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("steps ahead", fontsize=9)
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    axes[0].set_ylabel(f"CRPS, {SOURCES[series[0]]().unit}", fontsize=9)
    for axis, name in zip(axes[1:], series[1:], strict=True):
        axis.set_ylabel(SOURCES[name]().unit, fontsize=9)
    axes[-1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return _saved(figure, path)


def save_film(workdir: pathlib.Path, size: Size) -> pathlib.Path:
    """Forecasts of the first series from one origin after the other: members, bands and the truth."""
    source = SOURCES[size.sources[0]]()
    task, members = asked(source, FORECAST, size), ensemble(Entry(source.name, SCORE, 0), workdir, FORECAST)
    limits = _limits(source, members)
    chosen = np.unique(np.linspace(0, len(task.starts) - 1, min(FRAMES, len(task.starts))).astype(int))
    frames = []
    for number in chosen:
        start = int(task.starts[number])
        places = start + np.flatnonzero(~task.seen[number])
        frames.append(_frame(source, places, members[:, number], limits))
    return save_movie(workdir / "forecasts", frames, rate=RATE)


def _limits(source: Source, members: np.ndarray) -> tuple[float, float]:
    shown = source.values[source.test_from - source.shape.past :]
    low, high = (
        min(np.nanmin(shown), np.quantile(members, 0.01)),
        max(np.nanmax(shown), np.quantile(members, 0.99)),
    )
    return float(low - 0.03 * (high - low)), float(high + 0.03 * (high - low))


def _frame(
    source: Source, places: np.ndarray, members: np.ndarray, limits: tuple[float, float]
) -> np.ndarray:
    """Pixels (height, width, 3)."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axis, origin = figure.add_subplot(), int(places[0])
    begin = source.test_from - source.shape.past
    axis.plot(source.times[begin:], source.values[begin:], color=GRAY, linewidth=1)
    axis.plot(source.times[begin:origin], source.values[begin:origin], color=BLACK, linewidth=1.3)
    axis.plot(source.times[places], members[:24].T, color=ORANGE, linewidth=0.5, alpha=0.5)
    draw_fan(axis, source.times[places], members, ORANGE)
    axis.set(
        ylim=limits, ylabel=source.unit, title=f"{source.name}: forecast from {source.times[origin]:.0f}"
    )
    axis.spines[["top", "right"]].set_visible(False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save_own(
    path: pathlib.Path, values: np.ndarray, parts: Sequence[tuple[np.ndarray, np.ndarray]], title: str
) -> pathlib.Path:
    """A user's series with fans of what was forecast and imputed, over the numbers of rows."""
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    axis = figure.add_subplot()
    axis.plot(1 + np.arange(len(values)), values, color=BLACK, linewidth=1)
    for places, members in parts:
        if len(places) == 1:  # a band of no width
            ends = np.quantile(members, [0.05, 0.95], axis=0).ravel()
            axis.plot([places[0] + 1] * 2, ends, color=ORANGE, linewidth=2, alpha=0.5)
        else:
            draw_fan(axis, 1 + places, members, ORANGE)
    axis.set(xlabel="row", title=title)
    axis.spines[["top", "right"]].set_visible(False)
    return _saved(figure, path)


def _saved(figure: Figure, path: pathlib.Path) -> pathlib.Path:
    canvas = FigureCanvasAgg(figure)
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=110))
