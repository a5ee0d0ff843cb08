"""Means and intervals, the verdict, the table and the picture, from the files of single results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, ScalarFormatter
from scipy import stats

from experiments.work_precision.measure import FLOOR
from experiments.work_precision.solvers import REFERENCE
from experiments.work_precision.subjects import METRICS
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.report import table

ALLOWED = 0.05  # above the reference
FEW = 10  # evaluations by which a solver should be there
WITHIN = ("perhaps", "by the mean", "surely")  # where the interval reaches 5 %, its middle does, all of it
COLORS = ("#d1495b", "#2a78b5", "#3a9d5d", "#e08e1b", "#7a5195")


class Row(NamedTuple):
    """A solver at a setting: its evaluations, and by metric the distance of each seed."""

    solver: str
    setting: float
    evaluations: float
    distances: dict[str, list[float]]


class Interval(NamedTuple):
    """A mean over seeds, and half the width of its 95 % interval by Student's t."""

    mean: float
    half: float

    def __str__(self) -> str:
        """``0.123+-0.004``."""
        digits = max(0, min(4, 1 - int(np.floor(np.log10(self.half))) if self.half > 0 else 3))
        return f"{self.mean:.{digits}f}+-{self.half:.{digits}f}"


def interval(values: Sequence[float]) -> Interval:
    """Of independent values."""
    n = len(values)
    if n < 2:
        return Interval(float(np.mean(values)), float("nan"))
    quantile = stats.t.ppf(0.975, n - 1)
    return Interval(float(np.mean(values)), float(quantile * np.std(values, ddof=1) / np.sqrt(n)))


def read_rows(folder: Path) -> list[Row]:
    """All results of a subject whose draws are numbers."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    rows = [
        Row(of["solver"], of["setting"], of["evaluations"], of["distances"]) for of in found if of["stable"]
    ]
    return sorted(rows, key=lambda row: (row.solver, row.evaluations))


def reference(rows: Sequence[Row], evaluations: int) -> Row:
    """The predictor-corrector of so many evaluations; one, since the least of several is partly luck."""
    return next(row for row in rows if (row.solver, row.evaluations) == (REFERENCE, evaluations))


def excess(row: Row, held: Row, metric: str) -> Interval:
    """d - (1 + ALLOWED) d_reference, seed by seed: a solver is within where this is not positive.

    Both began from the same noise, so their difference is known better than either.
    """
    ours, theirs = (np.array(each.distances[metric]) for each in (row, held))
    return interval(ours - (1 + ALLOWED) * theirs)


def ratio(row: Row, held: Row, metric: str) -> Interval:
    """Of the means; half its interval is that of d - ratio d_reference, over the mean of d_reference."""
    ours, theirs = (np.array(each.distances[metric]) for each in (row, held))
    mean = float(ours.mean() / theirs.mean())
    return Interval(mean, interval(ours - mean * theirs).half / float(theirs.mean()))


def verdict(rows: Sequence[Row], metric: str, evaluations: int) -> dict[str, Any]:
    """The first solvers within 5 % of the reference: perhaps, by the mean, and by all of the interval."""
    held = reference(rows, evaluations)
    told = interval(held.distances[metric])
    floor = next(row for row in rows if row.solver == FLOOR)
    known = bool(told.mean > told.half)  # a distance of zero has no percentage
    solvers = [row for row in rows if row.solver != FLOOR]
    found: dict[str, Any] = {"reference": held.solver, "distance": told, "known": known}
    found["floor"] = interval(floor.distances[metric])
    over = [(row, excess(row, held, metric)) for row in solvers]
    able = {
        "perhaps": [row for row, of in over if of.mean - of.half <= 0],
        "by the mean": [row for row, of in over if of.mean <= 0],
        "surely": [row for row, of in over if of.mean + of.half <= 0],
    }
    for name in WITHIN:
        found[name] = _first(able[name], held, metric) if known else None
    return found


def _first(able: Sequence[Row], held: Row, metric: str) -> dict[str, Any] | None:
    """Of the fewest evaluations the one with the least distance."""
    if not able:
        return None
    best = min(able, key=lambda row: (row.evaluations, np.mean(row.distances[metric])))
    told = ratio(best, held, metric)
    return {"solver": best.solver, "evaluations": best.evaluations, "ratio": told}


def sentence(subject: str, metric: str, found: dict[str, Any]) -> str:
    """The verdict in a line."""
    held = f"{subject}, {metric}: {found['reference']} has {found['distance']}, floor {found['floor']}"
    if not found["known"]:
        return f"{held}; it cannot be told from 0, so there is no verdict"
    parts = []
    for name in WITHIN:
        of = found[name]
        if of is None:
            parts.append(f"{name} never")
        else:
            met = "<=" if of["evaluations"] <= FEW else ">"
            where = f"{of['solver']} at {of['evaluations']:g} ({met} {FEW})"
            parts.append(f"{name} {where}, ratio {of['ratio']}")
    return f"{held}; within 5 %: {'; '.join(parts)}"


def text(rows: Sequence[Row], counts: Sequence[int], metric: str) -> str:
    """Rows of solvers, columns of evaluations: what took at most so many, and more than the column before."""
    names = sorted({row.solver for row in rows if row.solver != FLOOR})
    lines = []
    for name in names:
        cells, low = [], 0
        for count in counts:
            able = [row for row in rows if row.solver == name and low < row.evaluations <= count]
            cells.append(str(interval(able[-1].distances[metric])) if able else "")
            low = count
        lines.append((name, *cells))
    floor = next(row for row in rows if row.solver == FLOOR)
    lines.append((FLOOR, str(interval(floor.distances[metric])), *[""] * (len(counts) - 1)))
    return table(("solver", *(str(count) for count in counts)), lines)


def best_names(rows: Sequence[Row], metric: str, count: int) -> list[str]:
    """Solvers by their least mean distance at no more than FEW evaluations."""
    least: dict[str, float] = {}
    for row in rows:
        if row.solver != FLOOR and row.evaluations <= FEW:
            mean = float(np.mean(row.distances[metric]))
            least[row.solver] = min(mean, least.get(row.solver, np.inf))
    return sorted(least, key=lambda name: least[name])[:count]


def save_plot(path: Path, subjects: dict[str, list[Row]], evaluations: int) -> Path:
    """A column a subject, a row a metric: the best few by colour, the others grey, the floor dashed."""
    figure = Figure(figsize=(5.2 * len(subjects), 3.3 * len(METRICS) + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(METRICS), len(subjects), squeeze=False)
    for column, (subject, rows) in enumerate(subjects.items()):
        for line, metric in enumerate(METRICS):
            axis = axes[line, column]
            _draw(axis, rows, metric, evaluations)
            axis.set_title(f"{subject}: {metric}", fontsize=10)
        axes[-1, column].set_xlabel("model evaluations")
    return replace_file(path, lambda stream: figure.savefig(stream, format="png", dpi=110))


def _draw(axis: Axes, rows: Sequence[Row], metric: str, evaluations: int) -> None:
    held = reference(rows, evaluations)
    best = [name for name in best_names(rows, metric, len(COLORS)) if name != held.solver]
    styles: dict[str, dict[str, Any]] = {
        name: {"color": color, "lw": 1.6, "marker": "o", "ms": 3, "zorder": 3, "label": name}
        for name, color in zip(best, COLORS, strict=False)
    }
    styles[held.solver] = {"color": "#111111", "lw": 1.6, "marker": "s", "ms": 3, "zorder": 2}
    styles[held.solver]["label"] = held.solver
    for name in sorted({row.solver for row in rows if row.solver != FLOOR}):
        own = sorted((row for row in rows if row.solver == name), key=lambda row: row.evaluations)
        means = [interval(row.distances[metric]) for row in own]
        work = [row.evaluations for row in own]
        style = styles.get(name, {"color": "#c4c4c4", "lw": 0.8, "zorder": 1})
        axis.plot(work, [each.mean for each in means], **style)
        if name in styles:
            low, high = ([each.mean + sign * each.half for each in means] for sign in (-1, 1))
            axis.fill_between(work, low, high, color=style["color"], alpha=0.12, lw=0)
    _frame(axis, rows, metric, float(np.mean(held.distances[metric])))


def _frame(axis: Axes, rows: Sequence[Row], metric: str, target: float) -> None:
    """Scales that show the best, the target's line, the floor's, and a mark at FEW evaluations."""
    real = next(row for row in rows if row.solver == FLOOR)
    floor = float(np.mean(real.distances[metric]))
    means = np.array([np.mean(row.distances[metric]) for row in rows])
    axis.axhline((1 + ALLOWED) * target, color="#111111", lw=0.8, ls=":", label="reference + 5 %")
    axis.axhline(floor, color="#111111", lw=0.8, ls="--", label="floor")
    axis.axvline(FEW, color="#999999", lw=0.6)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_locator(NullLocator())
    positive = means[means > 0]
    if means.min() > 0:
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(ScalarFormatter())
        axis.yaxis.set_minor_formatter(ScalarFormatter())
        axis.set_ylim(0.93 * means.min(), min(1.1 * means.max(), 12 * means.min()))
    else:  # an unbiased estimate goes below zero
        unit = max(float(np.quantile(positive, 0.1)), interval(real.distances[metric]).half)  # what is seen
        axis.set_yscale("symlog", linthresh=unit)
        axis.set_ylim(1.3 * min(means.min(), -0.2 * unit), 1.3 * means.max())
    axis.legend(fontsize=7, loc="upper right")
