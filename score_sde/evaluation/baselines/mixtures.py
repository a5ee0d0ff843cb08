"""Mixtures of Gaussians with full covariances, shrunk as validation says: the fit that baselines share."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from score_sde.evaluation.baselines.base import best


class Mixture(NamedTuple):
    """sum_k w_k N(m_k, C_k): weights (K,), means (K, D), covariances (K, D, D)."""

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """Log density in nats (N,) of points (N, D), exact."""
        roots = np.linalg.cholesky(self.covariances)
        log_determinants = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
        constant = np.log(self.weights) - log_determinants - 0.5 * x.shape[1] * np.log(2 * np.pi)
        squares = np.stack(
            [
                np.square((x - mean) @ whiten.T).sum(axis=1)
                for mean, whiten in zip(self.means, np.linalg.inv(roots), strict=True)
            ],
            axis=1,
        )
        return logsumexp(constant - 0.5 * squares, axis=1)

    def shrink(self, to_pooled: float, to_diagonal: float) -> Mixture:
        """C_k -> (1 - a - b) C_k + a sum_j w_j C_j + b diag(C_k).

        a = 1 ties the covariances and b = 1 leaves the diagonal ones; between them lie the mixtures
        that few examples can support (Friedman 1989, regularised discriminant analysis).
        """
        pooled = np.einsum("k,kij->ij", self.weights, self.covariances)
        diagonal = self.covariances * np.eye(self.means.shape[1])
        kept = 1 - to_pooled - to_diagonal
        return self._replace(
            covariances=kept * self.covariances + to_pooled * pooled + to_diagonal * diagonal
        )


def fit_mixture(x: np.ndarray, k: int, floor: float, iterations: int = 5) -> Mixture:
    """k-means, then a few EM steps by scikit-learn on points (N, D); ``floor`` is added to variances.

    EM is stopped early: after it, shrinkage does more for held-out data than more steps.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        k, reg_covar=floor, max_iter=iterations, tol=1e-2, random_state=0, init_params="kmeans"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x)
    return Mixture(model.weights_, model.means_, model.covariances_)


def choose_mixture(
    train: np.ndarray,
    validation: np.ndarray,
    components: tuple[int, ...],
    shrinkages: tuple[tuple[float, float], ...],
    floor: float,
) -> tuple[Mixture, str]:
    """The mixture with the highest log density of ``validation``, and a note on what was chosen."""
    fits = {k: fit_mixture(train, k, floor) for k in components}
    candidates = {(k, *pair): fits[k].shrink(*pair) for k in components for pair in shrinkages}
    k, pooled, diagonal = best({c: -m.log_prob(validation).mean() for c, m in candidates.items()})
    note = f"{k} components, covariances shrunk {pooled:g} to pooled, {diagonal:g} to diagonal"
    return candidates[k, pooled, diagonal], note


def affordable(components: tuple[int, ...], examples: int, each: int = 10) -> tuple[int, ...]:
    """The numbers of components that leave ``each`` examples a component; one is always affordable."""
    return tuple(k for k in components if k * each <= examples) or (1,)
