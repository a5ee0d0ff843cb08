"""A linear state-space model, whose every posterior has a closed form."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.dynamics.base import System
from score_sde.products import full_matmul
from score_sde.typing import Array, Batch, Key


class LinearGaussian(System):
    """x_{k+1} = matrix x_k + noise z, x_0 ~ N(mean, covariance).

    Attributes:
        matrix: (dimensions, dimensions).
        mean, covariance: of the first state.
    """

    matrix: Array
    mean: Array
    covariance: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """A vector."""
        return (len(self.mean),)

    def advance(self, x: Batch) -> Batch:
        """matrix x."""
        return full_matmul(x, jnp.asarray(self.matrix).T)

    def start(self, key: Key, n: int) -> Batch:
        """Draws of the first state."""
        root = jnp.linalg.cholesky(jnp.asarray(self.covariance))
        return jnp.asarray(self.mean) + full_matmul(jax.random.normal(key, (n, *self.shape)), root.T)

    def joint(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean (length, dimensions) and covariance of ``length`` states in a row, one after the other."""
        matrix, size = np.asarray(self.matrix, float), len(self.mean)
        means, blocks = [np.asarray(self.mean, float)], [np.asarray(self.covariance, float)]
        for _ in range(length - 1):
            means.append(matrix @ means[-1])
            blocks.append(matrix @ blocks[-1] @ matrix.T + self.noise**2 * np.eye(size))
        covariance = np.zeros((length, size, length, size))
        for i, block in enumerate(blocks):
            for j in range(i, length):
                covariance[j, :, i], covariance[i, :, j] = block, block.T
                block = matrix @ block
        return np.stack(means), covariance.reshape(length * size, length * size)


class Smoothed(NamedTuple):
    """The law of every state given all observations, and how likely these were."""

    means: np.ndarray  # (length, dimensions)
    covariances: np.ndarray  # (length, dimensions, dimensions)
    log_evidence: float  # log p(observations), in nats


def kalman_smoother(system: LinearGaussian, seen: np.ndarray, observe: np.ndarray, std: float) -> Smoothed:
    """Kalman's filter and the smoother of Rauch, Tung and Striebel (1965).

    Args:
        system: of the states.
        seen: observations (length, observed), NaN in rows where there is none.
        observe: (observed, dimensions).
        std: of the noise in observations.
    """
    matrix, size = np.asarray(system.matrix, float), len(system.mean)
    q, r = system.noise**2 * np.eye(size), std**2 * np.eye(len(observe))
    predicted, filtered, evidence = [], [], 0.0
    mean, covariance = np.asarray(system.mean, float), np.asarray(system.covariance, float)
    for y in seen:
        predicted.append((mean, covariance))
        if not np.isnan(y).any():
            mean, covariance, nats = _updated(mean, covariance, y, observe, r)
            evidence += nats
        filtered.append((mean, covariance))
        mean, covariance = matrix @ mean, matrix @ covariance @ matrix.T + q
    means, covariances = [filtered[-1][0]], [filtered[-1][1]]
    for k in range(len(seen) - 2, -1, -1):
        gain = np.linalg.solve(predicted[k + 1][1], matrix @ filtered[k][1]).T
        means.append(filtered[k][0] + gain @ (means[-1] - predicted[k + 1][0]))
        covariances.append(filtered[k][1] + gain @ (covariances[-1] - predicted[k + 1][1]) @ gain.T)
    return Smoothed(np.stack(means[::-1]), np.stack(covariances[::-1]), evidence)


def _updated(
    mean: np.ndarray, covariance: np.ndarray, y: np.ndarray, observe: np.ndarray, r: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean and covariance given an observation, and the log density of that in nats."""
    spread, error = observe @ covariance @ observe.T + r, y - observe @ mean
    gain = np.linalg.solve(spread, observe @ covariance).T
    nats = -0.5 * (error @ np.linalg.solve(spread, error) + np.linalg.slogdet(2 * np.pi * spread)[1])
    return mean + gain @ error, covariance - gain @ spread @ gain.T, float(nats)
