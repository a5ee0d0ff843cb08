"""Latent classes: within a class pixels are independent, each with its own histogram."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy.special import logsumexp, softmax

from score_sde.dequantization import UniformDequantization
from score_sde.evaluation.baselines.base import Baseline, Bits, Split, best
from score_sde.pytree import static


class HistogramMixture(Baseline):
    """Discrete: p(n) = sum_k w_k prod_d p_kd(n_d), by expectation maximisation.

    Dirichlet prior around the histogram of each pixel over all classes; number of classes and prior
    strength are chosen on validation. It pays no dequantisation. (Lazarsfeld and Henry 1968.)
    """

    name: ClassVar[str] = "histogram mixture"
    classes: tuple[int, ...] = static((10, 20, 30, 50))
    strengths: tuple[float, ...] = static((4.0, 10.0, 20.0))
    iterations: int = static(8)

    def fit(self, split: Split, units: UniformDequantization, key: Any) -> tuple[Bits, str]:
        """Start from k-means, run EM, choose on validation."""
        choices = [(k, s) for k in self.classes if k < len(split.train) for s in self.strengths]
        starts = {k: _k_means(split.train, k) for k in {1, *(k for k, _ in choices)}}
        ones = _one_hot(split.train, units.levels)

        def code(k: int, strength: float) -> Bits:
            tables = _expectation_maximization(ones, starts[k], units.levels, strength, self.iterations)
            dimensions = split.train.shape[1]
            return lambda raw: (
                -logsumexp(tables.log_joint(_one_hot(raw, units.levels)), axis=1) / dimensions / np.log(2)
            )

        codes = {choice: code(*choice) for choice in choices or [(1, self.strengths[0])]}
        k, strength = best({choice: bits(split.validation).mean() for choice, bits in codes.items()})
        return codes[k, strength], f"discrete; {k} classes, prior worth {strength:g} images"


class _Tables(NamedTuple):
    log_weights: np.ndarray  # (K,)
    log_values: np.ndarray  # (K, D * levels)

    def log_joint(self, ones: np.ndarray) -> np.ndarray:
        return ones @ self.log_values.T + self.log_weights


def _expectation_maximization(
    ones: np.ndarray, responsibilities: np.ndarray, levels: int, strength: float, iterations: int
) -> _Tables:
    # The overall histogram, itself smoothed by one image spread evenly, is the centre of the prior.
    overall = (ones.sum(axis=0) + 1 / levels) / (len(ones) + 1)
    for _ in range(iterations):
        sizes = responsibilities.sum(axis=0)
        values = (responsibilities.T @ ones + strength * overall) / (sizes + strength)[:, None]
        weights = (sizes + 1) / (len(ones) + len(sizes))
        tables = _Tables(np.log(weights), np.log(values))
        responsibilities = softmax(tables.log_joint(ones), axis=1)
    return tables


def _one_hot(raw: np.ndarray, levels: int) -> np.ndarray:
    return (raw[:, :, None] == np.arange(levels)).reshape(len(raw), -1).astype(np.float64)


def _k_means(raw: np.ndarray, k: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    distinct = len(np.unique(raw, axis=0))  # k-means warns when it is asked for more
    labels = KMeans(min(k, distinct), n_init=1, random_state=0).fit_predict(raw.astype(np.float64))
    return np.eye(k)[labels]
