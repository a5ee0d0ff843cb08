"""Means over seeds with their intervals, the tables and the pictures of all numbers."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.anomaly.baselines import BASELINES
from experiments.anomaly.contestants import LIKELIHOOD
from experiments.anomaly.judging import interval
from experiments.anomaly.measure import Entry
from experiments.anomaly.truth import DENSITY, RATIO
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.report import table, with_error

NUMBERS = ("auroc", "aupr", "fpr95")
COLOURS = dict.fromkeys(BASELINES, "#9aa3ad") | {DENSITY: "#3f8f4f", RATIO: "#3f8f4f"}
MEAN = "mean of all"
CHANCE = 0.5  # AUROC of a guess


def summarize(workdir: pathlib.Path, entries: Sequence[Entry]) -> dict[str, Any]:
    """Points (part, data, way, numbers with intervals), and the best baseline and score of tables."""
    found = {entry: json.loads(entry.path(workdir).read_text()) for entry in entries}
    points, paired = [], []
    for part in ("tables", "unseen"):
        own = {entry: result for entry, result in found.items() if entry.part == part}
        points += _table_points(part, own)
        paired += differences(part, own)
    points += _image_points({e: r for e, r in found.items() if e.part == "images"})
    return {"points": points, "best": _best(points, paired), "differences": paired}


def _table_points(part: str, found: dict[Entry, Any]) -> list[dict[str, Any]]:
    points, means = [], {}
    names = list(dict.fromkeys(entry.name for entry in found))
    for name in names:
        results = [found[entry] for entry in found if entry.name == name]
        for way in results[0]["ways"]:
            rows = [result["ways"][way] for result in results if way in result["ways"]]
            numbers = {number: [row[number] for row in rows] for number in NUMBERS}
            points.append(_point(part, name, way, numbers, np.median([row["seconds"] for row in rows])))
            means.setdefault(way, []).append(numbers)
    for way, tables in means.items():
        if len(tables) == len(names):  # the truth is known of some only
            numbers = {number: np.mean([each[number] for each in tables], axis=0) for number in NUMBERS}
            points.append(_point(part, MEAN, way, numbers, None))
    return points


def differences(part: str, found: dict[Entry, Any]) -> list[dict[str, Any]]:
    """AUROC less that of the best baseline on the same splits: by table, and of the mean over tables.

    Ways that train networks have the first of the seeds only.
    """
    seeds: dict[str, dict[str, list[float]]] = {}
    for entry, result in found.items():
        for way, row in result["ways"].items():
            seeds.setdefault(way, {}).setdefault(entry.name, []).append(row["auroc"])
    names = list(dict.fromkeys(entry.name for entry in found))
    all_of = {way: tables for way, tables in seeds.items() if len(tables) == len(names)}
    for tables in all_of.values():
        tables[MEAN] = np.mean([tables[name] for name in names], axis=0).tolist()
    baselines = [way for way in all_of if way in BASELINES]
    if not baselines:
        return []
    best = max(baselines, key=lambda way: np.mean(all_of[way][MEAN]))
    points = []
    for way in (way for way in all_of if way != best):
        for name, values in all_of[way].items():
            above = np.subtract(values, all_of[best][name][: len(values)])
            points.append({"part": part, "data": name, "way": way, "less": best, **interval(above)})
    return points


def _image_points(found: dict[Entry, Any]) -> list[dict[str, Any]]:
    return [
        _point("images", kind, entry.name, {n: [row[n] for row in rows] for n in NUMBERS}, result["seconds"])
        for entry, result in found.items()
        for kind, rows in result["kinds"].items()
    ]


def _point(part: str, data: str, way: str, numbers: Any, seconds: Any) -> dict[str, Any]:
    intervals = {number: interval(values) for number, values in numbers.items()}
    return {"part": part, "data": data, "way": way, **intervals, "seconds": seconds}


def _best(points: list[dict[str, Any]], paired: list[dict[str, Any]]) -> dict[str, Any]:
    """The baseline of the largest mean AUROC, and the score that is the most above it split by split."""
    mean = ("tables", MEAN)
    means = {
        point["way"]: point["auroc"]["mean"] for point in points if (point["part"], point["data"]) == mean
    }
    above = {each["way"]: each["mean"] for each in paired if (each["part"], each["data"]) == mean}
    scores = [way for way in above if way not in BASELINES]
    if not scores:
        return {}
    ways = {"baseline": paired[0]["less"], "diffusion": max(scores, key=above.__getitem__)}
    return {kind: {"way": way, "mean_auroc": means[way]} for kind, way in ways.items()}


def text(results: dict[str, Any]) -> str:
    """For tables and for images: AUROC by data, then AUPR and FPR95."""
    blocks = []
    for part in dict.fromkeys(point["part"] for point in results["points"]):
        own = [point for point in results["points"] if point["part"] == part]
        for number in NUMBERS:
            blocks.append(f"{part}: {number.upper()}\n{_block(own, number)}")
    if results["best"]:
        told = {kind: f"{best['way']} {best['mean_auroc']:.4f}" for kind, best in results["best"].items()}
        blocks.append(
            f"mean AUROC over tables: best baseline {told['baseline']}, best score {told['diffusion']}"
        )
    for part in dict.fromkeys(each["part"] for each in results["differences"]):
        blocks.append(_table_of_differences([e for e in results["differences"] if e["part"] == part]))
    return "\n\n".join(blocks)


def _table_of_differences(differences: list[dict[str, Any]]) -> str:
    data = list(dict.fromkeys(each["data"] for each in differences))
    ways = list(dict.fromkeys(each["way"] for each in differences))
    values = {(each["way"], each["data"]): (each["mean"], each["half_width"]) for each in differences}
    rows = [(way, *(with_error(*values[way, name], digits=4) for name in data)) for way in ways]
    part, less = differences[0]["part"], differences[0]["less"]
    return f"{part}: AUROC less that of {less}, split by split\n{table(('way', *data), rows)}"


def _block(points: list[dict[str, Any]], number: str) -> str:
    data = list(dict.fromkeys(point["data"] for point in points))
    ways = list(dict.fromkeys(point["way"] for point in points))
    values = {(point["way"], point["data"]): point[number] for point in points}
    missing = {"mean": None, "half_width": None}
    rows = [(way, *(with_error(*values.get((way, name), missing).values()) for name in data)) for way in ways]
    return table(("way", *data), rows)


def save_plots(
    workdir: pathlib.Path, results: dict[str, Any], entries: Sequence[Entry]
) -> list[pathlib.Path]:
    """``tables.png`` and ``images.png`` of AUROC, and ``likelihood.png``: the histogram that fails."""
    written = []
    for part in dict.fromkeys(point["part"] for point in results["points"]):
        own = [point for point in results["points"] if point["part"] == part]
        written.append(_save_bars(workdir / f"{part}.png", own))
    likelihood = next((entry for entry in entries if entry[:2] == ("images", LIKELIHOOD)), None)
    if likelihood is not None:
        scores = json.loads(likelihood.path(workdir).read_text())["scores"]
        written.append(_save_histogram(workdir / "likelihood.png", scores))
    return written


def _save_bars(path: pathlib.Path, points: list[dict[str, Any]]) -> pathlib.Path:
    data, ways = (list(dict.fromkeys(point[name] for point in points)) for name in ("data", "way"))
    figure = Figure(figsize=(2.4 * len(data) + 1.8, 0.24 * len(ways) + 0.9), layout="constrained")
    first = None
    for number, name in enumerate(data):
        axis = figure.add_subplot(1, len(data), number + 1, sharey=first)
        first = first or axis
        for point in (point for point in points if point["data"] == name):
            _draw(axis, point["auroc"], -ways.index(point["way"]), COLOURS.get(point["way"], "#3b6ea8"))
        axis.set_xlim(CHANCE - 0.02, 1.02)
        axis.set_yticks(-np.arange(len(ways)), ways, fontsize=8)
        axis.tick_params(labelleft=number == 0)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("AUROC", fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="x", color="#e4e7ea", linewidth=0.8)
    return _saved(figure, path)


def _draw(axis: Any, auroc: dict[str, Any], place: int, colour: str) -> None:
    """A mean and its interval; what is worse than chance is an arrow at the left with its number."""
    mean, half = auroc["mean"], auroc["half_width"] or 0
    if mean < CHANCE:
        axis.plot(CHANCE, place, "<", ms=5, color=colour)
        axis.annotate(f"{mean:.2f}", (CHANCE + 0.02, place), fontsize=7, color=colour, va="center")
    else:
        axis.errorbar(mean, place, xerr=half, fmt="o", ms=5, color=colour)


def _save_histogram(path: pathlib.Path, scores: dict[str, list[float]]) -> pathlib.Path:
    figure = Figure(figsize=(7, 3), layout="constrained")
    axis = figure.add_subplot()
    everything = np.concatenate([np.asarray(values, float) for values in scores.values()])
    bins = np.linspace(*np.nanquantile(everything, (0.0, 0.99)), 40)
    for name, values in scores.items():
        axis.hist(np.asarray(values, float), bins=bins, histtype="step", density=True, label=name)
    axis.set_xlabel("negative log-likelihood, nats: a detector would call the right end strange")
    axis.set_yticks([])
    axis.legend(frameon=False, fontsize=8)
    axis.spines[["top", "right", "left"]].set_visible(False)
    return _saved(figure, path)


def _saved(figure: Figure, path: pathlib.Path) -> pathlib.Path:
    canvas = FigureCanvasAgg(figure)
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=110))
