"""Two simulated tables whose truth is known: connections of a network, and payments by card.

Made up, not fitted to any data: each normal row comes from one of a few ways to behave in which columns
belong together, each anomaly from one of a few attacks, some of which are normal in every column by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Columns = dict[str, np.ndarray]


class Simulation(NamedTuple):
    """Rows, what they are, and names."""

    rows: np.ndarray  # (n, columns)
    truth: np.ndarray  # (n,): True for anomalies
    kind: np.ndarray  # (n,): the way to behave, or the attack
    columns: tuple[str, ...]


def intrusion(seed: int, normal: int = 2000, anomalies: int = 200) -> Simulation:
    """Connections: web, names, shell and files; and scans, floods, guessed passwords and theft of data."""
    return _mixed(
        seed,
        ((0.5, "web", _web), (0.25, "names", _names), (0.15, "shell", _shell), (0.1, "files", _files)),
        ((0.25, "scan", _scan), (0.25, "flood", _flood), (0.25, "guess", _guess), (0.25, "theft", _theft)),
        (normal, anomalies),
    )


def fraud(seed: int, normal: int = 2000, anomalies: int = 100) -> Simulation:
    """Payments: groceries, fuel, online, travel; and tried cards, stolen cards and taken accounts."""
    return _mixed(
        seed,
        (
            (0.45, "groceries", _groceries),
            (0.2, "fuel", _fuel),
            (0.25, "online", _online),
            (0.1, "travel", _trip),
        ),
        ((0.35, "tried", _tried), (0.35, "stolen", _stolen), (0.3, "taken", _taken)),
        (normal, anomalies),
    )


Behaviour = tuple[float, str, Callable[[np.random.Generator, int], Columns]]


def _mixed(
    seed: int, good: tuple[Behaviour, ...], bad: tuple[Behaviour, ...], counts: tuple[int, int]
) -> Simulation:
    rng = np.random.default_rng(seed)
    parts, kinds, truth = [], [], []
    for behaviours, count, is_bad in ((good, counts[0], False), (bad, counts[1], True)):
        shares = np.array([share for share, _, _ in behaviours])
        sizes = rng.multinomial(count, shares / shares.sum())
        for size, (_, name, make) in zip(sizes, behaviours, strict=True):
            columns = make(rng, int(size))
            parts.append(np.stack(list(columns.values()), axis=1))
            kinds += [name] * size
            truth += [is_bad] * size
    order = rng.permutation(len(truth))
    names = tuple(columns)
    return Simulation(np.concatenate(parts)[order], np.array(truth)[order], np.array(kinds)[order], names)


def _connection(
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
    spread: float = 0.6,
) -> Columns:
    """Logarithms of time and bytes, which rise together, and counts of the last two seconds."""
    size_of = rng.normal(0, spread, size)  # a long connection carries much
    columns = {
        "log_seconds": np.log(seconds) + size_of + rng.normal(0, 0.3, size),
        "log_sent": np.log(sent) + 0.7 * size_of + rng.normal(0, 0.3, size),
        "log_received": np.log(received) + size_of + rng.normal(0, 0.4, size),
        "same_host": np.log1p(rng.poisson(same, size)),
        "ports": np.log1p(rng.poisson(ports, size)),
        "error_rate": rng.beta(1 + 20 * errors, 21 - 20 * errors, size),
        "failed_logins": np.log1p(rng.poisson(failed, size)),
        "hour_sin": np.zeros(size),
        "hour_cos": np.zeros(size),
    }
    hour = rng.normal(14, 3.5, size) / 24 * 2 * np.pi
    columns |= {"hour_sin": np.sin(hour), "hour_cos": np.cos(hour)}
    return columns | {f"service_{i}": np.full(size, float(i == service)) for i in range(4)}


def _web(rng: np.random.Generator, size: int) -> Columns:
    return _connection(
        rng, size, seconds=1.5, sent=900, received=2e4, same=6, ports=1, errors=0.02, failed=0, service=0
    )


def _names(rng: np.random.Generator, size: int) -> Columns:
    return _connection(
        rng, size, seconds=0.03, sent=60, received=150, same=12, ports=1, errors=0.01, failed=0, service=1
    )


def _shell(rng: np.random.Generator, size: int) -> Columns:
    return _connection(
        rng, size, seconds=400, sent=8e3, received=3e4, same=1, ports=1, errors=0.01, failed=0.2, service=2
    )


def _files(rng: np.random.Generator, size: int) -> Columns:
    return _connection(
        rng, size, seconds=30, sent=2e5, received=5e3, same=2, ports=2, errors=0.02, failed=0.1, service=3
    )


def _scan(rng: np.random.Generator, size: int) -> Columns:
    """Slow: a few more ports and errors than usual."""
    return _connection(
        rng, size, seconds=0.3, sent=80, received=90, same=5, ports=4, errors=0.25, failed=0, service=0
    )


def _flood(rng: np.random.Generator, size: int) -> Columns:
    """Many short requests without answers."""
    return _connection(
        rng, size, seconds=0.2, sent=700, received=300, same=20, ports=1, errors=0.1, failed=0, service=0
    )


def _guess(rng: np.random.Generator, size: int) -> Columns:
    """Shell connections that end soon, with failed logins."""
    return _connection(
        rng, size, seconds=6, sent=2e3, received=2.5e3, same=4, ports=1, errors=0.03, failed=2, service=2
    )


def _theft(rng: np.random.Generator, size: int) -> Columns:
    """A web connection that sends what it should receive: no column is unusual by itself."""
    return _connection(
        rng, size, seconds=20, sent=1.5e5, received=5e3, same=3, ports=1, errors=0.02, failed=0, service=0
    )


def _payment(
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
) -> Columns:
    """Logarithms of the amount, the customer's usual amount, the distance and the time since the last."""
    usual = rng.normal(0, 0.5, size)  # how much the customer tends to spend
    clock = rng.normal(hour, 3, size) / 24 * 2 * np.pi
    abroad = rng.random(size) < foreign
    columns = {
        "log_amount": np.log(amount) + usual + rng.normal(0, spread, size),
        "log_usual": np.log(40) + usual + rng.normal(0, 0.15, size),
        "log_kilometres": np.log(kilometres) + 2.5 * abroad + rng.normal(0, 0.7, size),
        "log_hours": np.log(hours) + rng.normal(0, 0.8, size),
        "today": np.log1p(rng.poisson(today, size)),
        "hour_sin": np.sin(clock),
        "hour_cos": np.cos(clock),
        "foreign": abroad.astype(float),
    }
    return columns | {f"trade_{i}": np.full(size, float(i == trade)) for i in range(4)}


def _groceries(rng: np.random.Generator, size: int) -> Columns:
    return _payment(rng, size, amount=35, kilometres=3, hours=30, today=1, hour=16, trade=0, foreign=0.02)


def _fuel(rng: np.random.Generator, size: int) -> Columns:
    return _payment(
        rng, size, amount=55, kilometres=10, hours=40, today=1, hour=12, trade=1, foreign=0.05, spread=0.25
    )


def _online(rng: np.random.Generator, size: int) -> Columns:
    return _payment(rng, size, amount=45, kilometres=1, hours=25, today=1.5, hour=20, trade=2, foreign=0.2)


def _trip(rng: np.random.Generator, size: int) -> Columns:
    return _payment(rng, size, amount=150, kilometres=300, hours=10, today=3, hour=13, trade=3, foreign=0.5)


def _tried(rng: np.random.Generator, size: int) -> Columns:
    """Small sums online, one soon after the other."""
    return _payment(
        rng, size, amount=6, kilometres=1, hours=0.8, today=5, hour=22, trade=2, foreign=0.5, spread=0.4
    )


def _stolen(rng: np.random.Generator, size: int) -> Columns:
    """Groceries and far from home at night: a trip's distance, not a trip's trade."""
    return _payment(rng, size, amount=90, kilometres=60, hours=3, today=3, hour=23, trade=0, foreign=0.1)


def _taken(rng: np.random.Generator, size: int) -> Columns:
    """Online, at usual hours, for more than this customer's usual amount explains."""
    columns = _payment(
        rng, size, amount=45, kilometres=1, hours=12, today=2, hour=18, trade=2, foreign=0.2, spread=0.3
    )
    return columns | {"log_amount": np.log(45) + np.log(8) - (columns["log_usual"] - np.log(40))}
