"""The tables of all numbers."""

from __future__ import annotations

from typing import Any

from experiments.series.judging import skill
from score_sde.evaluation.report import table, with_error


def text(results: dict[str, Any]) -> str:
    """A table for each series and task, then the differences from the best classical way."""
    points, blocks = results["points"], []
    for series, task in dict.fromkeys((point["series"], point["task"]) for point in points):
        own = [point for point in points if (point["series"], point["task"]) == (series, task)]
        head = f"{series}, {task}: {own[0]['windows']} windows"
        blocks.append(f"{head}\n{_block(own)}")
    blocks.append(_differences(results["differences"]))
    return "\n\n".join(blocks)


def _block(points: list[dict[str, Any]]) -> str:
    header = ("way", "CRPS", "/ seasonal naive", "spread / skill", "90 % covers", "seeds", "seconds")
    rows = []
    for point in sorted(points, key=lambda point: point["crps"]["mean"]):
        numbers = (skill(points, point), point["spread_skill"], point["coverage"])
        rows.append(
            (
                point["way"],
                with_error(*point["crps"].values(), digits=3),
                *(f"{number:.3f}" for number in numbers),
                point["seeds"],
                f"{point['seconds']:.1f}",
            )
        )
    return table(header, rows)


def _differences(rows: list[dict[str, Any]]) -> str:
    lines = [
        (row["series"], row["task"], row["way"], row["less"], *_percent(row["mean"], row["half_width"]))
        for row in rows
    ]
    header = ("series", "task", "way", "best classical", "CRPS above it, %", "clear")
    return f"CRPS above that of the best classical way, on the same windows\n{table(header, lines)}"


def _percent(mean: float, half_width: float) -> tuple[str, str]:
    verdict = "level" if abs(mean) <= half_width else "better" if mean < 0 else "worse"
    return with_error(100 * mean, 100 * half_width, digits=1), verdict
