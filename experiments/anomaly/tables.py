"""Tables with known anomalies: what ships with scikit-learn, and the simulations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn import datasets

from experiments.anomaly.simulations import fraud, intrusion


class Table(NamedTuple):
    """Rows and which of them are anomalies."""

    rows: np.ndarray
    truth: np.ndarray


class Split(NamedTuple):
    """Normal rows to learn from, and rows to judge by; columns standardised by the former."""

    train: np.ndarray
    test: np.ndarray
    truth: np.ndarray  # of the test rows
    rest: np.ndarray  # which rows of the table they are


def one_class(load: Callable[..., Any], normal: Callable[[int], int]) -> Callable[[int], Table]:
    """A table in which one class, that of the seed, is normal; rows of all other classes are anomalies."""

    def table(seed: int) -> Table:
        rows, label = load(return_X_y=True)
        return Table(rows, label != normal(seed))

    return table


def digits(seed: int) -> Table:
    """Handwritten digits as 64 columns; one digit, another with each seed, is the anomaly."""
    rows, digit = datasets.load_digits(return_X_y=True)
    return Table(rows, digit == seed % 10)


def simulated_intrusion(seed: int) -> Table:
    """2,000 simulated connections and 200 attacks, 13 columns."""
    return Table(*intrusion(seed)[:2])


def simulated_fraud(seed: int) -> Table:
    """2,000 simulated payments and 100 frauds, 12 columns."""
    return Table(*fraud(seed)[:2])


TABLES: dict[str, Callable[[int], Table]] = {
    "breast cancer": one_class(datasets.load_breast_cancer, lambda seed: 1),  # 357 benign, 212 malignant
    "wine": one_class(datasets.load_wine, lambda seed: 1),  # 71 of the second cultivar
    "digits": digits,
    "intrusion": simulated_intrusion,
    "fraud": simulated_fraud,
}
UNSEEN: dict[str, Callable[[int], Table]] = {  # that no score was chosen by
    "malignant": one_class(datasets.load_breast_cancer, lambda seed: 0),
    "wine one": one_class(datasets.load_wine, lambda seed: 0),  # 59 of the first cultivar
    "wine three": one_class(datasets.load_wine, lambda seed: 2),  # 48 of the third
    "iris": one_class(datasets.load_iris, lambda seed: seed % 3),
    "one digit": one_class(datasets.load_digits, lambda seed: seed % 10),
}


def split(table: Table, seed: int, most: int = 1000) -> Split:
    """Half of the normal rows, at most ``most``, to learn from; the rest and all anomalies to judge by."""
    normal = np.random.default_rng((seed, 1)).permutation(np.flatnonzero(~table.truth))
    half = min(len(normal) // 2, most)
    rest = np.concatenate([normal[half:], np.flatnonzero(table.truth)])
    train = table.rows[normal[:half]].astype(np.float64)
    center, scale = train.mean(axis=0), train.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    return Split((train - center) / scale, (table.rows[rest] - center) / scale, table.truth[rest], rest)
