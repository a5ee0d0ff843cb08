"""Exact pixel histograms, with the dependence of pixels as a Gaussian mixture behind them."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
from scipy.special import ndtri

from score_sde.evaluation.baselines.base import ContinuousBaseline, Dequantized, LogProb
from score_sde.evaluation.baselines.mixtures import affordable, choose_mixture
from score_sde.pytree import static


class CopulaMixture(ContinuousBaseline):
    """z_d = Phi^-1(F_d(y_d)), z a Gaussian mixture: log p(y) = log mix(z) + sum_d log f_d(y_d) - log N(z_d).

    F_d is the piecewise linear distribution function of pixel d's histogram, so uniform noise inside a
    cell becomes exactly what the model expects and costs nothing. One component is the Gaussian
    copula. Same dequantisation as every other; components and shrinkage chosen on validation.
    """

    name: ClassVar[str] = "copula mixture"
    strength: float = 1.0  # Dirichlet prior of the histograms, in images
    components: tuple[int, ...] = static((1, 20, 40))
    shrinkages: tuple[tuple[float, float], ...] = static(
        ((0.05, 0.05), (0.2, 0.05), (0.2, 0.2), (0.4, 0.05), (0.4, 0.2), (0.6, 0.05))
    )

    def fit_density(self, train: Dequantized, validation: Dequantized) -> tuple[LogProb, str]:
        """Histograms from the training cells, then the mixture in the transformed space."""
        marginals = _Marginals.fit(train.centers, train.cell, self.strength)
        z, _ = marginals.transform(train.draws)
        z_validation, _ = marginals.transform(validation.draws)
        mixture, note = choose_mixture(
            z, z_validation, affordable(self.components, len(train.centers)), self.shrinkages, floor=1e-2
        )

        def log_prob(y: np.ndarray) -> np.ndarray:
            z, log_volume = marginals.transform(y)
            inside = (np.abs(y) <= 1).all(axis=1)
            return np.where(inside, mixture.log_prob(z) + log_volume, -np.inf)

        return log_prob, note


class _Marginals(NamedTuple):
    probabilities: np.ndarray  # (D, levels)
    below: np.ndarray  # (D, levels): probability of all lower values
    cell: float

    @classmethod
    def fit(cls, centers: np.ndarray, cell: float, strength: float) -> _Marginals:
        levels = round(2 / cell)
        values = np.rint((centers + 1) / cell - 0.5)
        counts = (values[:, :, None] == np.arange(levels)).sum(axis=0)
        probabilities = (counts + strength / levels) / (len(centers) + strength)
        return cls(probabilities, np.cumsum(probabilities, axis=1) - probabilities, cell)

    def transform(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standard normal scores (N, D) and log |dz / dy| summed over dimensions (N,)."""
        position = (y + 1) / self.cell
        n = np.clip(np.floor(position), 0, self.probabilities.shape[1] - 1).astype(np.int64)
        pixel = np.arange(y.shape[1])
        p = self.probabilities[pixel, n]
        # The ends 0 and 1 have no finite score; 1e-9 of the mass stands at |z| = 6.
        z = ndtri(np.clip(self.below[pixel, n] + p * (position - n), 1e-9, 1 - 1e-9))
        log_normal = -0.5 * np.square(z) - 0.5 * np.log(2 * np.pi)
        return z, (np.log(p / self.cell) - log_normal).sum(axis=1)
