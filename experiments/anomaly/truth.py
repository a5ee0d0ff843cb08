"""The best that can be done on the simulated tables: the laws that their rows were drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import logsumexp

from experiments.anomaly.simulations import ATTACKS, CONNECTIONS, FRAUDS, PAYMENTS, Behaviour

DENSITY = "true density"
RATIO = "true likelihood ratio"
LARGE = 1e6
KINDS = {"intrusion": (CONNECTIONS, ATTACKS), "fraud": (PAYMENTS, FRAUDS)}


def reference_scores(table: str, rows: np.ndarray) -> dict[str, np.ndarray]:
    """For a simulated table: -log p of normal rows, and log p of anomalies less it, in nats (n,).

    No score has a larger AUROC than the second, by Neyman and Pearson's lemma; the first is what a perfect
    model of normal rows knows. Densities are by column as it is drawn (counts, angles), which is the same
    change of measure for all behaviours.
    """
    if table not in KINDS:
        return {}
    # A law may rule a row out; numbers stay finite.
    normal, strange = (np.maximum(_log_density(each, rows), -LARGE) for each in KINDS[table])
    return {DENSITY: -normal, RATIO: strange - normal}


def _log_density(behaviours: Sequence[Behaviour], rows: np.ndarray) -> np.ndarray:
    shares = np.array([each.share for each in behaviours])
    law = {"service": log_connection, "trade": log_payment}
    logs = []
    for each in behaviours:
        choice = "service" if "service" in each.numbers else "trade"
        chosen = rows[:, -4 + each.numbers[choice]] == 1
        logs.append(np.where(chosen, law[choice](rows, each.numbers), -np.inf))
    return logsumexp(np.stack(logs), axis=0, b=(shares / shares.sum())[:, None])


def log_connection(rows: np.ndarray, of: Mapping[str, Any]) -> np.ndarray:
    """log p of connections (n, columns) of one kind, but for what is the same for every kind."""
    seconds, sent, received, same, ports, errors, failed, sin, cos = rows[:, :9].T
    loads = np.array([1.0, 0.7, 1.0])
    covariance = 0.6**2 * np.outer(loads, loads) + np.diag([0.3, 0.3, 0.4]) ** 2
    mean = np.log([of["seconds"], of["sent"], of["received"]])
    found = stats.multivariate_normal(mean, covariance).logpdf(np.stack([seconds, sent, received], axis=1))
    found += sum(
        _count(column, of[name]) for column, name in ((same, "same"), (ports, "ports"), (failed, "failed"))
    )
    found += stats.beta(1 + 20 * of["errors"], 21 - 20 * of["errors"]).logpdf(errors)
    return found + _hour(sin, cos, 14, 3.5)


def log_payment(rows: np.ndarray, of: Mapping[str, Any]) -> np.ndarray:
    """log p of payments (n, columns) of one kind, but for what is the same for every kind."""
    amount, usual, kilometres, hours, today, sin, cos, foreign = rows[:, :8].T
    loads = np.array([of["usually"], 1.0])
    covariance = 0.5**2 * np.outer(loads, loads) + np.diag([of["spread"], 0.15]) ** 2
    mean = np.log([of["amount"], 40])
    found = stats.multivariate_normal(mean, covariance).logpdf(np.stack([amount, usual], axis=1))
    found += stats.norm(np.log(of["kilometres"]) + 2.5 * foreign, 0.7).logpdf(kilometres)
    found += stats.norm(np.log(of["hours"]), 0.8).logpdf(hours)
    found += _count(today, of["today"]) + stats.bernoulli(of["foreign"]).logpmf(foreign.astype(int))
    return found + _hour(sin, cos, of["hour"], 3)


def _count(column: np.ndarray, mean: float) -> np.ndarray:
    return stats.poisson(mean).logpmf(np.rint(np.expm1(column)).astype(int))


def _hour(sin: np.ndarray, cos: np.ndarray, mean: float, spread: float) -> np.ndarray:
    """A normal law of the hour, wrapped round the clock."""
    hour = np.arctan2(sin, cos) / (2 * np.pi) * 24
    turns = hour[:, None] + 24 * np.arange(-3, 4)
    return logsumexp(stats.norm(mean, spread).logpdf(turns), axis=1)
