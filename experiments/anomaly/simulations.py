"""Two simulated tables whose truth is known: connections of a network, and payments by card.

Made up, not fitted to any data: each normal row comes from one of a few ways to behave in which columns
belong together, each anomaly from one of a few attacks, some of which are normal in every column by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

Columns = dict[str, np.ndarray]


class Simulation(NamedTuple):
    """Rows, what they are, and names."""

    rows: np.ndarray  # (n, columns)
    truth: np.ndarray  # (n,): True for anomalies
    kind: np.ndarray  # (n,): the way to behave, or the attack
    columns: tuple[str, ...]


class Behaviour(NamedTuple):
    """A way to behave: how often among its like, and what its columns are drawn by."""

    share: float
    name: str
    draw: Callable[..., Columns]
    numbers: Mapping[str, Any]


def intrusion(seed: int, normal: int = 2000, anomalies: int = 200) -> Simulation:
    """Connections: web, names, shell and files; and scans, floods, guessed passwords and theft of data."""
    return _mixed(seed, CONNECTIONS, ATTACKS, (normal, anomalies))


def fraud(seed: int, normal: int = 2000, anomalies: int = 100) -> Simulation:
    """Payments: groceries, fuel, online, travel; and tried cards, stolen cards and taken accounts."""
    return _mixed(seed, PAYMENTS, FRAUDS, (normal, anomalies))


def _mixed(
    seed: int, good: tuple[Behaviour, ...], bad: tuple[Behaviour, ...], counts: tuple[int, int]
) -> Simulation:
    rng = np.random.default_rng(seed)
    parts, kinds, truth = [], [], []
    for behaviours, count, is_bad in ((good, counts[0], False), (bad, counts[1], True)):
        shares = np.array([each.share for each in behaviours])
        sizes = rng.multinomial(count, shares / shares.sum())
        for size, each in zip(sizes, behaviours, strict=True):
            columns = each.draw(rng, int(size), **each.numbers)
            parts.append(np.stack(list(columns.values()), axis=1))
            kinds += [each.name] * size
            truth += [is_bad] * size
    order = rng.permutation(len(truth))
    names = tuple(columns)
    return Simulation(np.concatenate(parts)[order], np.array(truth)[order], np.array(kinds)[order], names)


def connection(
    rng: np.random.Generator,
    size: int,
    *,
    seconds: float,
    sent: float,
    received: float,
    same: float,
    ports: float,
    errors: float,
    failed: float,
    service: int,
) -> Columns:
    """Logarithms of time and bytes, which rise together, and counts of the last two seconds."""
    size_of = rng.normal(0, 0.6, size)  # a long connection carries much
    columns = {
        "log_seconds": np.log(seconds) + size_of + rng.normal(0, 0.3, size),
        "log_sent": np.log(sent) + 0.7 * size_of + rng.normal(0, 0.3, size),
        "log_received": np.log(received) + size_of + rng.normal(0, 0.4, size),
        "same_host": np.log1p(rng.poisson(same, size)),
        "ports": np.log1p(rng.poisson(ports, size)),
        "error_rate": rng.beta(1 + 20 * errors, 21 - 20 * errors, size),
        "failed_logins": np.log1p(rng.poisson(failed, size)),
    }
    hour = rng.normal(14, 3.5, size) / 24 * 2 * np.pi
    columns |= {"hour_sin": np.sin(hour), "hour_cos": np.cos(hour)}
    return columns | {f"service_{i}": np.full(size, float(i == service)) for i in range(4)}


def payment(
    rng: np.random.Generator,
    size: int,
    *,
    amount: float,
    kilometres: float,
    hours: float,
    today: float,
    hour: float,
    trade: int,
    foreign: float,
    spread: float = 0.6,
    usually: float = 1.0,
) -> Columns:
    """Logarithms of the amount, the customer's usual amount, the distance and the time since the last.

    The amount goes with the customer's usual one to the power ``usually``.
    """
    usual = rng.normal(0, 0.5, size)  # how much the customer tends to spend
    clock = rng.normal(hour, 3, size) / 24 * 2 * np.pi
    abroad = rng.random(size) < foreign
    columns = {
        "log_amount": np.log(amount) + usually * usual + rng.normal(0, spread, size),
        "log_usual": np.log(40) + usual + rng.normal(0, 0.15, size),
        "log_kilometres": np.log(kilometres) + 2.5 * abroad + rng.normal(0, 0.7, size),
        "log_hours": np.log(hours) + rng.normal(0, 0.8, size),
        "today": np.log1p(rng.poisson(today, size)),
        "hour_sin": np.sin(clock),
        "hour_cos": np.cos(clock),
        "foreign": abroad.astype(float),
    }
    return columns | {f"trade_{i}": np.full(size, float(i == trade)) for i in range(4)}


def _numbers(names: str, *values: float) -> dict[str, Any]:
    return dict(zip(names.split(), values, strict=True))


OF_CONNECTION = "seconds sent received same ports errors failed service"
CONNECTIONS = tuple(
    Behaviour(share, name, connection, _numbers(OF_CONNECTION, *values))
    for share, name, values in (
        (0.5, "web", (1.5, 900, 2e4, 6, 1, 0.02, 0, 0)),
        (0.25, "names", (0.03, 60, 150, 12, 1, 0.01, 0, 1)),
        (0.15, "shell", (400, 8e3, 3e4, 1, 1, 0.01, 0.2, 2)),
        (0.1, "files", (30, 2e5, 5e3, 2, 2, 0.02, 0.1, 3)),
    )
)
ATTACKS = tuple(
    Behaviour(0.25, name, connection, _numbers(OF_CONNECTION, *values))
    for name, values in (
        ("scan", (0.3, 80, 90, 5, 4, 0.25, 0, 0)),  # slow: a few more ports and errors than usual
        ("flood", (0.2, 700, 300, 20, 1, 0.1, 0, 0)),  # many short requests without answers
        ("guess", (6, 2e3, 2.5e3, 4, 1, 0.03, 2, 2)),  # short shell connections with failed logins
        # A web connection that sends what it should receive: no column is unusual by itself.
        ("theft", (20, 1.5e5, 5e3, 3, 1, 0.02, 0, 0)),
    )
)
OF_PAYMENT = "amount kilometres hours today hour trade foreign spread usually"
PAYMENTS = tuple(
    Behaviour(share, name, payment, _numbers(OF_PAYMENT, *values))
    for share, name, values in (
        (0.45, "groceries", (35, 3, 30, 1, 16, 0, 0.02, 0.6, 1)),
        (0.2, "fuel", (55, 10, 40, 1, 12, 1, 0.05, 0.25, 1)),
        (0.25, "online", (45, 1, 25, 1.5, 20, 2, 0.2, 0.6, 1)),
        (0.1, "travel", (150, 300, 10, 3, 13, 3, 0.5, 0.6, 1)),
    )
)
FRAUDS = tuple(
    Behaviour(share, name, payment, _numbers(OF_PAYMENT, *values))
    for share, name, values in (
        (0.35, "tried", (6, 1, 0.8, 5, 22, 2, 0.5, 0.4, 1)),  # small sums online, one soon after the other
        # Groceries far from home at night: a trip's distance, not a trip's trade.
        (0.35, "stolen", (90, 60, 3, 3, 23, 0, 0.1, 0.6, 1)),
        # Online, at usual hours: much where the customer spends little.
        (0.3, "taken", (360, 1, 12, 2, 18, 2, 0.2, 0.3, -1)),
    )
)
