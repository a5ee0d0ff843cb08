"""Densities of a few numbers per example: how unusual a row of score norms is."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.anomaly.base import require_fitted
from score_sde.anomaly.neighbors import distances
from score_sde.errors import InputError
from score_sde.products import full_einsum
from score_sde.pytree import Pytree, static
from score_sde.typing import Array, PerExample

STD_MIN = 1e-6  # of a column: one that never changes says nothing
SAME = 1e-4  # standard deviations within which a row is a training row, and no neighbour of its own


class NormDensity(Pytree, ABC):
    """How unusual rows (batch, columns) are beside those that it was fitted to."""

    @abstractmethod
    def fitted(self, rows: Array, seed: int = 0) -> Any:
        """Fitted to ``rows``; all that it learns is arrays."""

    @abstractmethod
    def __call__(self, rows: Array) -> PerExample:
        """Larger for the unusual."""


class MixtureOfNormals(NormDensity):
    """-log density of a Gaussian mixture with full covariances, of standardised columns.

    Attributes:
        components: at most; no more than a tenth of the rows.
        ridge: added to the covariances' diagonals, in variances of the columns.
    """

    components: int = static(5)
    ridge: float = static(1e-2)
    center: Array | None = None
    scale: Array | None = None
    weights: Array | None = None
    means: Array | None = None
    factors: Array | None = None  # of the precisions: F F^T is the inverse covariance

    def __post_init__(self) -> None:
        if self.components < 1:
            raise InputError("MixtureOfNormals.components", self.components, "a positive count", "5 is usual")

    def fitted(self, rows: Array, seed: int = 0) -> Any:
        """By scikit-learn's expectation maximisation."""
        from sklearn.mixture import GaussianMixture  # slow to import: only where it is used

        center, scale = _standard(rows)
        values = (np.asarray(rows, np.float64) - center) / scale
        components = max(1, min(self.components, len(values) // 10))
        if len(values) == 1:
            values = np.repeat(values, 2, axis=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # equal rows leave components without any: the others do
            mixture = GaussianMixture(components, reg_covar=self.ridge, random_state=seed).fit(values)
        learnt = {
            "center": center,
            "scale": scale,
            "weights": mixture.weights_,
            "means": mixture.means_,
            "factors": mixture.precisions_cholesky_,
        }
        return self.replace(**{name: jnp.asarray(value, rows.dtype) for name, value in learnt.items()})

    def __call__(self, rows: Array) -> PerExample:
        """Nats."""
        learnt = self.center, self.scale, self.weights, self.means, self.factors
        center, scale, weights, means, factors = require_fitted("MixtureOfNormals", learnt)
        offsets = full_einsum("bkd,kde->bke", ((rows - center) / scale)[:, None] - means, factors)
        log_det = jnp.sum(jnp.log(jnp.diagonal(factors, axis1=1, axis2=2)), axis=1)
        log_norm = log_det - 0.5 * means.shape[1] * jnp.log(2 * jnp.pi) + jnp.log(weights)
        log_prob = jax.nn.logsumexp(log_norm - 0.5 * jnp.sum(jnp.square(offsets), -1), axis=1)
        return jnp.sum(jnp.log(scale)) - log_prob


class NearestRows(NormDensity):
    """The mean distance to the k nearest training rows, in standardised columns.

    Attributes:
        k: neighbours; all of the rows where there are fewer.
    """

    k: int = static(5)
    center: Array | None = None
    scale: Array | None = None
    rows: Array | None = None

    def fitted(self, rows: Array, seed: int = 0) -> Any:
        """Keeps the rows."""
        del seed
        center, scale = (jnp.asarray(each, rows.dtype) for each in _standard(rows))
        return self.replace(center=center, scale=scale, rows=(rows - center) / scale)

    def __call__(self, rows: Array) -> PerExample:
        """Standard deviations."""
        center, scale, kept = require_fitted("NearestRows", (self.center, self.scale, self.rows))
        # Norms of a training example are computed twice, in programs that round differently.
        return jnp.mean(distances((rows - center) / scale, kept, self.k, same=SAME), axis=1)


def _standard(rows: Array) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(rows, np.float64)
    return values.mean(axis=0), np.maximum(values.std(axis=0), STD_MIN)
