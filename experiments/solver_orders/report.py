"""The table of orders and its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, ScalarFormatter

from score_sde.evaluation.files import replace_file
from score_sde.evaluation.report import table


def text(rows: list[dict[str, Any]], sdes: list[str]) -> str:
    """Nominal and measured orders."""
    columns = [(kind, sde) for kind in ("flow", "moments", "strong") for sde in sdes]
    heads = ("predictor", "evaluations", "order", *(f"{kind} {sde}" for kind, sde in columns))
    lines = []
    for row in rows:
        orders = (_cell(row[kind].get(sde)) for kind, sde in columns)
        lines.append((row["predictor"], row["evaluations"], row["order"], *orders))
    return table(heads, lines)


def _cell(found: dict[str, Any] | None) -> str:
    return "" if found is None else f"{found['order']:.2f}"


def misses(rows: list[dict[str, Any]], allowed: float = 0.15) -> list[str]:
    """Deterministic predictors whose order along the flow is not the nominal one."""
    return [
        f"{row['predictor']} on {sde}: {found['order']:.2f}, not {row['order']}"
        for row in rows
        for sde, found in row["flow"].items()
        if not abs(found["order"] - row["order"]) <= allowed
    ]


def save_plot(path: Path, rows: list[dict[str, Any]], counts: list[int], sde: str) -> None:
    """Errors against evaluations: a panel for each nominal order, and one of random predictors."""
    drawn = [row for row in rows if sde in row["flow"]]
    orders = sorted({row["order"] for row in drawn})
    panels = [
        (f"order {order}, {sde}", "flow", [row for row in drawn if row["order"] == order]) for order in orders
    ]
    panels.append((f"along Brownian paths, {sde}", "strong", [row for row in rows if sde in row["strong"]]))
    figure = Figure(figsize=(4.2 * len(panels), 6.0), layout="constrained")
    FigureCanvasAgg(figure)
    least = None
    for i, (title, kind, shown) in enumerate(panels):
        axis = least = figure.add_subplot(1, len(panels), i + 1, sharex=least, sharey=least)
        for row in shown:
            work = np.array(counts) * row["evaluations"]
            axis.loglog(work, row[kind][sde]["errors"], marker=".", label=row["predictor"])
        axis.set(title=title, xlabel="model evaluations")
        axis.xaxis.set_major_locator(LogLocator(base=2, numticks=20))
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_locator(NullLocator())
        axis.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    figure.axes[0].set_ylabel("root mean square error at the end")
    replace_file(path, lambda stream: figure.savefig(stream, format="png", dpi=100))
