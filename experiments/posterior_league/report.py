"""The league's tables and its picture, from the files of single results."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from score_sde.evaluation.files import replace_file
from score_sde.evaluation.report import table

FLOOR = "exact"
NUMBERS = ("measured", "first")  # whose ranks are calibrated
COLORS = {FLOOR: "#222222"}


def cell_name(dim: int, measured: int) -> str:
    """``d8 dy1``."""
    return f"d{dim} dy{measured}"


def summarize(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """By cell and method: median and quartiles of distances, time, evaluations, evidence error, failures."""
    grouped: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        grouped.setdefault(cell_name(row["dim"], row["measured"]), {}).setdefault(row["method"], []).append(
            row
        )
    return {cell: {name: _of(found) for name, found in named.items()} for cell, named in grouped.items()}


def _of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    def values(name: str) -> np.ndarray:
        return np.array([row[name] for row in rows if row.get(name) is not None], np.float64)

    def middle(name: str) -> Any:
        found = values(name)
        return np.quantile(found, [0.25, 0.5, 0.75]).tolist() if len(found) else None

    return {
        "problems": len(rows),
        "not_finite": sum(not row["finite"] for row in rows),
        "sliced_2": middle("sliced_2"),
        "sliced_1": middle("sliced_1"),
        "mean_sliced_2": float(values("sliced_2").mean()) if len(values("sliced_2")) else None,
        "seconds": float(np.median(values("seconds"))),
        "evaluations": int(rows[0]["evaluations"]),
        "evidence_error": middle("evidence_error"),
    }


def verdict(summary: dict[str, Any]) -> dict[str, Any]:
    """For each cell the best method and its median distance in units of the floor's."""
    found = {}
    for cell, named in summary.items():
        floor = named[FLOOR]["sliced_2"][1]
        medians = {name: of["sliced_2"][1] / floor for name, of in named.items() if of["sliced_2"]}
        medians.pop(FLOOR)
        if medians:
            best = min(medians, key=lambda name: medians[name])
            found[cell] = {"best": best, "times_floor": medians[best], "within_two": medians[best] <= 2}
    return found


def distances_text(summary: dict[str, Any]) -> str:
    """A table of medians [quartiles], a column a cell."""
    cells = list(summary)
    names = dict.fromkeys(name for named in summary.values() for name in named)

    def entry(cell: str, name: str) -> str:
        of = summary[cell].get(name)
        if of is None or of["sliced_2"] is None:
            return "-"
        low, median, high = of["sliced_2"]
        failed = f" ({of['not_finite']} NaN)" if of["not_finite"] else ""
        return f"{median:.2f} [{low:.2f} {high:.2f}]{failed}"

    return table(("method", *cells), [(name, *(entry(cell, name) for cell in cells)) for name in names])


def costs_text(summary: dict[str, Any]) -> str:
    """Seconds and model evaluations for each draw, and the evidence's error, a row a cell and method."""
    rows = []
    for cell, named in summary.items():
        for name, of in named.items():
            error = of["evidence_error"]
            shown = f"{error[1]:+.2f} [{error[0]:+.2f} {error[2]:+.2f}]" if error else ""
            rows.append((cell, name, f"{of['seconds']:.2f}", of["evaluations"], shown, of["not_finite"]))
    return table(("cell", "method", "seconds", "evaluations a draw", "log evidence error", "NaN"), rows)


def calibration_text(found: dict[str, Any]) -> str:
    """p-values of uniform ranks."""
    rows = [
        (name, of["replicates"], *(f"{of[number][p]:.2g}" for number in NUMBERS for p in ("p", "p_mean")))
        for name, of in found.items()
    ]
    return table(("method", "replicates", "p, along A", "mean", "p, first value", "mean"), rows)


def save_plot(path: Path, summary: dict[str, Any]) -> Path:
    """Median distances with quartiles, a panel a cell, the floor as a line and twice the floor dashed."""
    cells = list(summary)
    columns = min(3, len(cells))
    rows = -(-len(cells) // columns)
    figure = Figure(figsize=(4.2 * columns, 0.6 + 3.0 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for i, cell in enumerate(cells):
        axis = figure.add_subplot(rows, columns, i + 1)
        named = {name: of["sliced_2"] for name, of in summary[cell].items() if of["sliced_2"]}
        floor = named.pop(FLOOR)[1]
        places = np.arange(len(named))[::-1]
        low, median, high = np.array(list(named.values())).T.reshape(3, -1)
        axis.errorbar(median, places, xerr=[median - low, high - median], fmt="o", color="#3b6ea8", ms=4)
        axis.axvline(floor, color="#222222", lw=1)
        axis.axvline(2 * floor, color="#222222", lw=1, ls="--")
        axis.set_yticks(places, list(named) if i % columns == 0 else [""] * len(named))
        axis.set_xscale("log")
        axis.set_title(cell, fontsize=10)
        if i >= len(cells) - columns:
            axis.set_xlabel("sliced Wasserstein distance")
    return replace_file(path, lambda stream: figure.savefig(stream, dpi=110, format="png"))


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """All results under ``folder``."""
    rows = [json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))]
    return sorted(rows, key=lambda row: (row["dim"], row["measured"], row["index"]))
