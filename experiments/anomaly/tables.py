"""Tables with known anomalies: what ships with scikit-learn, and the simulations."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

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


def breast_cancer(seed: int) -> Table:
    """357 benign tumours of 30 columns; 212 malignant ones are the anomalies."""
    del seed
    rows, benign = datasets.load_breast_cancer(return_X_y=True)
    return Table(rows, benign == 0)


def wine(seed: int) -> Table:
    """71 wines of the second cultivar, 13 columns; those of the other two are the anomalies."""
    del seed
    rows, cultivar = datasets.load_wine(return_X_y=True)
    return Table(rows, cultivar != 1)


def digits(seed: int) -> Table:
    """Handwritten digits as 64 columns; one digit, another with each seed, is the anomaly."""
    rows, digit = datasets.load_digits(return_X_y=True)
    return Table(rows, digit == seed % 10)


def malignant(seed: int) -> Table:
    """212 malignant tumours; the 357 benign ones are the anomalies."""
    del seed
    rows, benign = datasets.load_breast_cancer(return_X_y=True)
    return Table(rows, benign == 1)


def wine_one(seed: int) -> Table:
    """59 wines of the first cultivar; those of the other two are the anomalies."""
    del seed
    rows, cultivar = datasets.load_wine(return_X_y=True)
    return Table(rows, cultivar != 0)


def wine_three(seed: int) -> Table:
    """48 wines of the third cultivar; those of the other two are the anomalies."""
    del seed
    rows, cultivar = datasets.load_wine(return_X_y=True)
    return Table(rows, cultivar != 2)


def iris(seed: int) -> Table:
    """50 irises of one species, another with each seed, 4 columns; the other two are the anomalies."""
    rows, species = datasets.load_iris(return_X_y=True)
    return Table(rows, species != seed % 3)


def one_digit(seed: int) -> Table:
    """One handwritten digit, another with each seed; the other nine are the anomalies."""
    rows, digit = datasets.load_digits(return_X_y=True)
    return Table(rows, digit != seed % 10)


def simulated_intrusion(seed: int) -> Table:
    """2,000 simulated connections and 200 attacks, 13 columns."""
    return Table(*intrusion(seed)[:2])


def simulated_fraud(seed: int) -> Table:
    """2,000 simulated payments and 100 frauds, 12 columns."""
    return Table(*fraud(seed)[:2])


TABLES: dict[str, Callable[[int], Table]] = {
    "breast cancer": breast_cancer,
    "wine": wine,
    "digits": digits,
    "intrusion": simulated_intrusion,
    "fraud": simulated_fraud,
}
UNSEEN: dict[str, Callable[[int], Table]] = {  # that no score was chosen by
    "malignant": malignant,
    "wine one": wine_one,
    "wine three": wine_three,
    "iris": iris,
    "one digit": one_digit,
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
