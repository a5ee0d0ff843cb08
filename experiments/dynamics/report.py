"""Means over seeds with their intervals, the tables and the verdicts."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.dynamics.assimilation import COMPOSED, EXACT_CHAIN, MOVED
from experiments.dynamics.forecasting import NEXT, SYSTEM
from experiments.dynamics.judging import interval
from experiments.dynamics.measure import Entry
from score_sde.evaluation.report import table, with_error

LINEAR_ALLOWED = 0.02  # of mean and covariance, relative
LORENZ_ALLOWED = 1.5  # times the particle filter's distance from itself


def summarize(workdir: pathlib.Path, entries: Sequence[Entry]) -> dict[str, Any]:
    """All numbers of all parts that are there."""
    found: dict[str, list[Any]] = {}
    for entry in entries:
        found.setdefault(entry.part, []).append(json.loads(entry.path(workdir).read_text()))
    return {"parts": {part: _part(rows) for part, rows in found.items()}}


def _part(rows: list[Any]) -> dict[str, Any]:
    return {
        "seeds": len(rows),
        "amount": rows[0]["amount"],
        "seconds": [row["seconds"] for row in rows],
        "train_seconds": [row["train_seconds"] for row in rows],
        "assimilation": _intervals([row["assimilation"] for row in rows]),
        "free": _intervals([row["free"] for row in rows]),
        "forecasts": {
            name: _forecast([row["forecasts"][name] for row in rows]) for name in rows[0]["forecasts"]
        },
    }


def _intervals(rows: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, Any]]:
    """Of every number under every name; None where a seed has none."""
    return {
        name: {what: _interval([row[name][what] for row in rows]) for what in numbers}
        for name, numbers in rows[0].items()
    }


def _interval(values: list[Any]) -> dict[str, Any]:
    if any(value is None for value in values):
        return {"mean": float("nan"), "half_width": None}
    return interval(values)


def _forecast(rows: list[Any]) -> dict[str, Any]:
    """Means of each lead, the interval of their mean, and all ranks."""
    by_lead = {
        what: np.mean([_numbers(row[what]) for row in rows], axis=0) for what in ("crps", "rmse", "ratio")
    }
    means = [float(np.mean(_numbers(row["crps"]))) for row in rows]
    return by_lead | {"mean_crps": interval(means), "ranks": np.sum([row["ranks"] for row in rows], axis=0)}


def _numbers(values: list[Any]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], float)


def text(results: dict[str, Any]) -> str:
    """Three tables of each part, then what was aimed at."""
    blocks = []
    for name, part in results["parts"].items():
        blocks += [
            f"{name}: {part['seeds']} seeds",
            f"trajectories given few observations\n{_assimilation(part['assimilation'])}",
            f"forecasts\n{_forecasts(part['forecasts'])}",
            f"free runs\n{_free(part['free'])}",
        ]
    return "\n\n".join([*blocks, *verdicts(results)])


def _assimilation(rows: dict[str, Any]) -> str:
    heads = {
        "crps": "CRPS", "ratio": "spread / skill", "last_crps": "CRPS at the end",
        "last_ratio": "spread / skill there", "wasserstein_ratio": "W over self",
        "marginal_wasserstein_ratio": "marginal W over self", "mean_error": "error of mean",
        "covariance_error": "of covariance",
    }  # fmt: skip
    used = [what for what in heads if any(what in row for row in rows.values())]
    lines = [
        (name, *(with_error(*row[what].values()) if what in row else "" for what in used))
        for name, row in rows.items()
    ]
    return table(("method", *(heads[what] for what in used)), lines)


def _forecasts(rows: dict[str, Any]) -> str:
    leads = len(next(iter(rows.values()))["crps"])
    chosen = (0, leads // 4, leads // 2, leads - 1)
    header = ("way", "CRPS, mean", *(f"at {lead + 1}" for lead in chosen), "spread / skill in the middle")
    lines = [
        (
            name,
            with_error(*row["mean_crps"].values()),
            *(f"{row['crps'][lead]:.3f}" for lead in chosen),
            f"{row['ratio'][leads // 2]:.2f}",
        )
        for name, row in rows.items()
    ]
    return table(header, lines)


def _free(rows: dict[str, Any]) -> str:
    lines = [
        (name, *(with_error(*row[what].values()) for what in ("invariant", "spectrum")))
        for name, row in rows.items()
    ]
    return table(("of", "W_1 of values", "log10 spectrum"), lines)


def verdicts(results: dict[str, Any]) -> list[str]:
    """What was aimed at, where it was measured."""
    found, parts = [], results["parts"]
    if "linear" in parts:
        row = parts["linear"]["assimilation"][EXACT_CHAIN]
        errors = [row[what]["mean"] for what in ("mean_error", "covariance_error")]
        met = "within" if max(errors) <= LINEAR_ALLOWED else "beyond"
        found.append(
            f"linear, exact score: mean {100 * errors[0]:.1f} %, covariance {100 * errors[1]:.1f} %: "
            f"{met} {100 * LINEAR_ALLOWED:.0f} %"
        )
    if "lorenz63" in parts:
        found += [_lorenz(name, parts["lorenz63"]["assimilation"][name]) for name in (MOVED, COMPOSED)]
    return found + [_forecast_verdict(name, part["forecasts"]) for name, part in parts.items()]


def _forecast_verdict(name: str, rows: dict[str, Any]) -> str:
    found, least = (rows[way]["mean_crps"]["mean"] for way in (NEXT, SYSTEM))
    if not least:
        return f"{name}: forecasts have a CRPS of {found:.3f}; the system itself has none, as it has no noise"
    return f"{name}: forecasts have {found / least:.2f} times the CRPS of the system itself"


def _lorenz(name: str, row: dict[str, Any]) -> str:
    ratio = row["wasserstein_ratio"]["mean"]
    met = "within" if ratio <= LORENZ_ALLOWED else "beyond"
    return f"lorenz63, {name}: {ratio:.2f} times the particle filter's own distance: {met} {LORENZ_ALLOWED}"
