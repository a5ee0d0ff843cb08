"""Counts of photons."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.arrays import sum_per_example
from score_sde.errors import InputError
from score_sde.inverse.base import Noise
from score_sde.inverse.operators.checks import require_range
from score_sde.typing import Array, Batch, Key, PerExample

DARK = 1e-3  # counts that a detector reports in the dark, on average


class PoissonNoise(Noise):
    """y = low + (high - low) k / peak with counts k ~ Poisson(peak (clean - low) / (high - low)).

    In model space, from black ``low`` to white ``high``, so that a white pixel has ``peak`` counts on average
    and y has the mean ``clean``. Rates below 0.001 counts, as of values below ``low``, are raised to it, so
    that the likelihood of every measurement is finite.

    Attributes:
        peak: counts of a white pixel; the fewer, the more noise.
        low: what is black.
        high: what is white.
    """

    peak: float = 100.0
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        require_range("PoissonNoise", self.low, self.high)
        if not self.peak > 0:
            raise InputError("PoissonNoise.peak", self.peak, "a positive number of counts")

    def sample(self, key: Key, clean: Batch) -> Batch:
        """Counts, brought to model space."""
        counts = jax.random.poisson(key, self._rate(clean)).astype(clean.dtype)
        return self.low + (self.high - self.low) * counts / self.peak

    def log_prob(self, y: Batch, clean: Batch) -> PerExample:
        """Sum of k log(rate) - rate - log k!: the probability of the counts, which are discrete."""
        counts, rate = self._counts(y), self._rate(clean)
        return sum_per_example(counts * jnp.log(rate) - rate - jax.scipy.special.gammaln(counts + 1))

    def variance(self, y: Batch) -> Array:
        """(high - low)^2 max(k, 1) / peak^2: the counts stand for their mean, which is their variance."""
        return jnp.square((self.high - self.low) / self.peak) * jnp.maximum(self._counts(y), 1)

    def _rate(self, clean: Batch) -> Array:
        return jnp.maximum(self.peak * (clean - self.low) / (self.high - self.low), DARK)

    def _counts(self, y: Batch) -> Array:
        return jnp.maximum(self.peak * (y - self.low) / (self.high - self.low), 0)
