"""Two-dimensional densities with a known log density: what a model can be held against exactly."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from scipy.special import logsumexp

from score_sde.data.base import ArraySource, Dataset
from score_sde.dequantization import Continuous
from score_sde.errors import InputError

EXTENT = 4.0  # the densities lie within a few standard deviations of [-4, 4]^2


class Toy(Dataset):
    """A density on the plane; each split is ``size`` independent draws from it.

    Args:
        size: examples in the training split; validation and test have a tenth each (one at least).
        seed: seed of the draws.
    """

    def __init__(self, *, size: int = 10_000, seed: int = 0) -> None:
        if size < 1:
            raise InputError("data.size", size, "a positive count")
        if seed < 0:
            raise InputError("data.seed", seed, "an integer >= 0")
        counts = {"train": size, "validation": -(-size // 10), "test": -(-size // 10)}
        splits = {
            name: ArraySource(x=self.sample(np.random.default_rng((seed, i)), count).astype(np.float32))
            for i, (name, count) in enumerate(counts.items())
        }
        super().__init__(shape=(2,), units=Continuous(low=-EXTENT, high=EXTENT), splits=splits)

    @abstractmethod
    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Independent draws, (count, 2), in data units."""

    @abstractmethod
    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """Log density in nats at the rows of ``x`` (data units)."""


class ToyMixture(Toy):
    """A mixture of equally weighted Gaussians: give ``means`` (k, 2) and ``covariances`` (k, 2, 2)."""

    @property
    @abstractmethod
    def means(self) -> np.ndarray:
        """Component means, (k, 2)."""

    @property
    @abstractmethod
    def covariances(self) -> np.ndarray:
        """Component covariances, (k, 2, 2)."""

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Draw a component, then a point of it."""
        which = rng.integers(len(self.means), size=count)
        factors = np.linalg.cholesky(self.covariances)[which]
        return self.means[which] + np.einsum("nij,nj->ni", factors, rng.standard_normal((count, 2)))

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """Log of the mean over components of N(x; mean, covariance)."""
        difference = np.asarray(x, np.float64)[:, None] - self.means
        distance = np.einsum("nki,kij,nkj->nk", difference, np.linalg.inv(self.covariances), difference)
        log_norm = np.log(2 * np.pi) + 0.5 * np.linalg.slogdet(self.covariances)[1]
        return logsumexp(-0.5 * distance - log_norm, axis=1) - np.log(len(self.means))


class GaussianRing(ToyMixture):
    """Eight round Gaussians of standard deviation 0.3 on a circle of radius 3."""

    @property
    def means(self) -> np.ndarray:
        """Eight points evenly spaced on the circle of radius 3."""
        return 3 * _circle(np.arange(8) / 8)

    @property
    def covariances(self) -> np.ndarray:
        """Standard deviation 0.3 in every direction."""
        return np.tile(0.09 * np.eye(2), (8, 1, 1))


class TwoMoons(ToyMixture):
    """Two interleaved half circles, each as 24 round Gaussians along it."""

    @property
    def means(self) -> np.ndarray:
        """Points on half circles of radius 2 about (-1, -1/2) and (1, 1/2)."""
        half, shift = 2 * _circle(np.linspace(0, 0.5, 24)), np.array([1.0, 0.5])
        return np.concatenate([half - shift, shift - half])

    @property
    def covariances(self) -> np.ndarray:
        """Standard deviation 0.2 in every direction."""
        return np.tile(0.04 * np.eye(2), (48, 1, 1))


class Spiral(ToyMixture):
    """An Archimedean spiral of two turns, as 60 round Gaussians along it."""

    @property
    def means(self) -> np.ndarray:
        """Points at radius 0.4 .. 3.4, evenly spaced along the curve's square-root parameter."""
        turn = np.sqrt(np.linspace(0.02, 1.0, 60))
        return (0.4 + 3.0 * turn)[:, None] * _circle(2 * turn)

    @property
    def covariances(self) -> np.ndarray:
        """Standard deviation 0.12 in every direction."""
        return np.tile(0.0144 * np.eye(2), (60, 1, 1))


class Pinwheel(ToyMixture):
    """Five bent blades, each as eight Gaussians stretched along the blade."""

    @property
    def means(self) -> np.ndarray:
        """Points at radius 0.7 .. 3.2 on each blade, which turns by a tenth of a circle on the way out."""
        radius = np.tile(np.linspace(0.7, 3.2, 8), 5)
        return radius[:, None] * _circle(self._angle)

    @property
    def covariances(self) -> np.ndarray:
        """Standard deviations 0.25 outwards and 0.12 across."""
        outwards = _circle(self._angle)
        across = np.stack([-outwards[:, 1], outwards[:, 0]], axis=1)
        return 0.0625 * _outer(outwards) + 0.0144 * _outer(across)

    @property
    def _angle(self) -> np.ndarray:
        return np.repeat(np.arange(5) / 5, 8) + np.tile(np.linspace(0, 0.1, 8), 5)


class Checkerboard(Toy):
    """Uniform on the dark squares of a 4 x 4 board over [-4, 4]^2: density 1/32 there, none elsewhere."""

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Draw one of the eight squares of side 2, then a point of it."""
        row, half = rng.integers(4, size=count), rng.integers(2, size=count)
        corner = np.stack([2 * half + row % 2, row], axis=1)
        return 2 * (corner + rng.uniform(size=(count, 2))) - EXTENT

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """-log 32 on the dark squares, -inf elsewhere."""
        cell = np.floor((np.asarray(x) + EXTENT) / 2)
        dark = np.all((cell >= 0) & (cell < 4), axis=1) & (cell.sum(axis=1) % 2 == 0)
        return np.where(dark, -np.log(32.0), -np.inf)


def _circle(turns: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)], axis=1)


def _outer(vectors: np.ndarray) -> np.ndarray:
    return vectors[:, :, None] * vectors[:, None, :]
