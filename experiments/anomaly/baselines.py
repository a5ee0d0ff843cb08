"""Classical detectors, each from standardised training rows and test rows to scores, larger for anomalies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.svm import OneClassSVM

Baseline = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
NEIGHBOURS = 5


def isolation_forest(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Liu et al. 2008; 100 trees."""
    return -IsolationForest(random_state=seed).fit(train).score_samples(test)


def local_outlier_factor(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Breunig et al. 2000; 20 neighbours."""
    del seed
    neighbours = min(20, len(train) - 1)
    return -LocalOutlierFactor(n_neighbors=neighbours, novelty=True).fit(train).score_samples(test)


def nearest_neighbours(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """The mean distance to the 5 nearest (Ramaswamy et al. 2000)."""
    del seed
    return NearestNeighbors(n_neighbors=NEIGHBOURS).fit(train).kneighbors(test)[0].mean(axis=1)


def one_class_svm(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Schoelkopf et al. 2001; a Gaussian kernel of the width that scikit-learn chooses."""
    del seed
    return -OneClassSVM(gamma="scale").fit(train).score_samples(test)


def principal_components(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """The sum of squared principal components over their variances (Shyu et al. 2003)."""
    del seed
    analysis = PCA().fit(train)
    kept = analysis.explained_variance_ > 1e-9
    return np.sum(analysis.transform(test)[:, kept] ** 2 / analysis.explained_variance_[kept], axis=1)


def ecod(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """The sum over columns of -log tail probabilities (Li et al. 2022), as the authors have it in pyod.

    Of each column the tail on the side of its skewness, or the mean of both -log if that is more. Every test
    row is added by itself to the empirical law of the training rows; pyod adds all at once, whose anomalies
    would then be part of what is normal.
    """
    del seed
    deviation, order, size = train - train.mean(axis=0), np.sort(train, axis=0), len(train) + 1
    skewness = np.mean(deviation**3, axis=0)
    total = np.zeros(len(test))
    for column in range(train.shape[1]):
        at_most = np.searchsorted(order[:, column], test[:, column], side="right") + 1
        below = np.searchsorted(order[:, column], test[:, column], side="left")
        left, right = -np.log(at_most / size), -np.log((size - below) / size)
        side = left if skewness[column] < 0 else right
        total += np.maximum(side, (left + right) / 2)
    return total


BASELINES: dict[str, Baseline] = {
    "IsolationForest": isolation_forest,
    "LOF": local_outlier_factor,
    "kNN": nearest_neighbours,
    "OCSVM": one_class_svm,
    "PCA": principal_components,
    "ECOD": ecod,
}
