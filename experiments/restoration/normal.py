"""The second yardstick: the exact posterior if images were of a normal law."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from score_sde.inverse import Measurement

NUGGET = 1e-3  # added to every variance, (3 % of white)^2: some pixels of the training images never change


class NormalLaw(NamedTuple):
    """N(mean, covariance) of flattened images: what the best linear estimate knows."""

    mean: np.ndarray  # (height, width, channels)
    covariance: np.ndarray
    root: np.ndarray  # lower triangular, root root^T = covariance

    def draws(self, seed: int, measurement: Measurement, count: int) -> np.ndarray:
        """Draws given a linear measurement with normal noise, by Matheron's rule.

        x + C A^T (A C A^T + noise)^-1 (y - A x - e), with x of this law and e of the noise's: exact, and
        cheaper than the posterior's own covariance.
        """
        rng, y = np.random.default_rng(seed), np.asarray(measurement.y, np.float64).ravel()
        units = np.eye(y.size, dtype=np.float32).reshape(y.size, *measurement.operator.measured_shape)
        rows = np.asarray(measurement.operator.adjoint(units), np.float64).reshape(y.size, -1)
        variance = np.broadcast_to(measurement.noise.variance(measurement.y), measurement.y.shape).ravel()
        crossed = rows @ self.covariance
        x = self.mean.ravel() + rng.normal(size=(count, self.mean.size)) @ self.root.T
        seen = x @ rows.T + np.sqrt(variance) * rng.normal(size=(count, y.size))
        change = np.linalg.solve(crossed @ rows.T + np.diag(variance), (y - seen).T)
        return (x + change.T @ crossed).reshape(count, *self.mean.shape).astype(np.float32)


def normal_law(images: np.ndarray) -> NormalLaw:
    """The law of images (count, height, width, channels)."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    covariance = np.cov(flat, rowvar=False) + NUGGET * np.eye(flat.shape[1])
    mean = images.mean(axis=0, dtype=np.float64)
    return NormalLaw(mean, covariance, np.linalg.cholesky(covariance))
