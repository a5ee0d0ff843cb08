"""Counts of photons, read by an amplifier that adds noise of its own."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from score_sde.arrays import normal_like, sum_per_example
from score_sde.errors import InputError
from score_sde.inverse.base import Noise
from score_sde.inverse.operators.checks import require_range
from score_sde.typing import Array, Batch, Key, PerExample

DARK = 1e-3  # counts that a detector reports in the dark, on average


class PoissonGaussianNoise(Noise):
    """y = low + gain k + std z, k ~ Poisson((clean - low) / gain), z ~ N(0, 1), gain = (high - low) / peak.

    The mean of y is ``clean`` and its variance gain (clean - low) + std^2 (Foi et al. 2008). Rates
    below 0.001 counts are raised to it, as ``PoissonNoise`` does.

    Attributes:
        peak: counts of a white pixel; the fewer, the more noise.
        std: of the amplifier's noise, in the units of y.
        low: what is black.
        high: what is white.
    """

    peak: float = 100.0
    std: float = 0.05
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        require_range("PoissonGaussianNoise", self.low, self.high)
        for name in ("peak", "std"):
            if not getattr(self, name) > 0:
                remedy = "use PoissonNoise" if name == "std" else ""
                raise InputError(
                    f"PoissonGaussianNoise.{name}", getattr(self, name), "a positive number", remedy
                )

    def sample(self, key: Key, clean: Batch) -> Batch:
        """Counts with the amplifier's noise, brought to model space."""
        counts_key, noise_key = jax.random.split(key)
        counts = jax.random.poisson(counts_key, self._excess(clean) / self._gain).astype(clean.dtype)
        return self.low + self._gain * counts + self.std * normal_like(noise_key, clean)

    def log_prob(self, y: Batch, clean: Batch) -> PerExample:
        """Of the normal law with the mean and variance of y: near to the exact one with many counts."""
        variance = self._gain * self._excess(clean) + jnp.square(self.std)
        squares = jnp.square(y - (self.low + self._excess(clean))) / variance
        return -0.5 * sum_per_example(squares + math.log(2 * math.pi) + jnp.log(variance))

    def variance(self, y: Batch) -> Array:
        """gain max(y - low, gain) + std^2: y stands for its mean."""
        return self._gain * jnp.maximum(y - self.low, self._gain) + jnp.square(self.std)

    @property
    def _gain(self) -> float:
        return (self.high - self.low) / self.peak

    def _excess(self, clean: Batch) -> Array:
        return jnp.maximum(clean - self.low, DARK * self._gain)
