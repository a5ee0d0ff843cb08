"""Scores of ensembles: CRPS by origin and by step ahead, spread over skill, coverage and ranks."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.series.classical import NAIVE, WAYS, serves
from experiments.series.measure import Entry, Size, asked, ensemble, told
from experiments.series.sources import SOURCES, Source
from experiments.series.tasks import FORECAST, TASKS
from score_sde.evaluation.bootstrap import block_interval
from score_sde.evaluation.forecasts import crps, rank_histogram, spread_skill

COVERED = 0.9  # of the truth, by intervals that should


def summarize(workdir: pathlib.Path, entries: Sequence[Entry], size: Size) -> dict[str, Any]:
    """Points (series, task, way, numbers with intervals), and differences from the best classical way."""
    points: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    for name in size.sources:
        source = SOURCES[name]()
        for each in TASKS:
            own, scores = _of_task(workdir, source, each, entries, size)
            points += own
            differences += _differences(source, each, own, scores)
    return {"points": points, "differences": differences}


def _of_task(
    workdir: pathlib.Path, source: Source, name: str, entries: Sequence[Entry], size: Size
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Points of all ways, and CRPS of each (seeds, windows)."""
    task = asked(source, name, size)
    truth, block = task.truth(source), _block(source, name)
    points, scores = [], {}
    ways = dict.fromkeys(each.way for each in entries if each.source == source.name)
    for way in (way for way in ways if serves(way, name)):
        own = [each for each in entries if each.source == source.name and each.way == way]
        ensembles = [ensemble(each, workdir, name) for each in own]
        by_value = np.stack([crps(each, truth) for each in ensembles])
        scores[way] = np.nanmean(by_value, axis=2)
        points.append(
            {
                "series": source.name,
                "task": name,
                "way": way,
                "crps": block_interval(scores[way], block)._asdict(),
                **_calibration(ensembles, truth),
                "by_step": np.nanmean(by_value, axis=(0, 1)) if name == FORECAST else None,
                "seconds": float(np.mean([told(each, workdir)["seconds"] for each in own])),
                "windows": len(truth),
                "seeds": len(own),
            }
        )
    return points, scores


def _calibration(ensembles: list[np.ndarray], truth: np.ndarray) -> dict[str, Any]:
    """Means over seeds, of the values whose truth is known."""
    there = np.isfinite(truth)
    y, members = truth[there], [each[:, there] for each in ensembles]
    tails = (1 - COVERED) / 2
    covered = []
    for each in members:
        low, high = np.quantile(each, [tails, 1 - tails], axis=0)
        covered.append(np.mean((low <= y) & (y <= high)))
    ratios = [spread_skill(each, y).ratio for each in members]
    ranks = sum(rank_histogram(each, y) for each in members)
    return {"spread_skill": float(np.mean(ratios)), "coverage": float(np.mean(covered)), "ranks": ranks}


def _differences(
    source: Source, name: str, points: list[dict[str, Any]], scores: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    """CRPS less that of the best classical way, window by window, over the latter's mean."""
    classical = {p["way"]: p["crps"]["mean"] for p in points if p["way"] in WAYS}
    if not classical:
        return []
    best = min(classical, key=classical.__getitem__)
    rows = []
    for way in (way for way in scores if way not in WAYS):
        above = (scores[way] - scores[best]) / classical[best]
        interval = block_interval(above, _block(source, name))._asdict()
        rows.append({"series": source.name, "task": name, "way": way, "less": best, **interval})
    return rows


def _block(source: Source, name: str) -> int:
    """Windows that share values."""
    stride = source.stride if name == FORECAST else max(source.stride, 2)
    length = source.shape.horizon if name == FORECAST else source.shape.length
    return math.ceil(length / stride)


def skill(points: Sequence[dict[str, Any]], point: dict[str, Any]) -> float:
    """CRPS over that of the seasonal-naive forecast: below 1 is better."""
    same = [
        p for p in points if (p["series"], p["task"], p["way"]) == (point["series"], point["task"], NAIVE)
    ]
    return point["crps"]["mean"] / same[0]["crps"]["mean"] if same else math.nan
