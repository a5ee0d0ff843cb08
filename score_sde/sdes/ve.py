"""Variance-exploding SDE."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.checks import require_increasing, require_positive
from score_sde.typing import Array, Time


class VE(GaussianSDE):
    """dx = sigma(t) sqrt(2 log(sigma_max / sigma_min)) dw, sigma(t) = sigma_min (sigma_max / sigma_min)^t.

    alpha = 1, T = 1; x_0 carries noise of standard deviation sigma_min (Song et al. 2021, eq. 9 and
    30-31; defaults of its CIFAR-10 experiments).
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0

    def __post_init__(self) -> None:
        require_positive("VE.sigma_min", self.sigma_min)
        require_increasing("VE.sigma_max", self.sigma_min, self.sigma_max, "sigma_min")

    def alpha(self, t: Time) -> Array:
        """1."""
        return jnp.ones_like(t)

    def sigma(self, t: Time) -> Array:
        """sigma_min (sigma_max / sigma_min)^t."""
        return self.sigma_min * (self.sigma_max / self.sigma_min) ** jnp.asarray(t)

    def drift_rate(self, t: Time) -> Array:
        """0."""
        return jnp.zeros_like(t)

    def time_at_log_snr(self, log_snr: Array) -> Array:
        """log(sigma / sigma_min) / log(sigma_max / sigma_min) with sigma = exp(-log_snr / 2)."""
        log_sigma = -0.5 * log_snr
        return (log_sigma - jnp.log(self.sigma_min)) / jnp.log(self.sigma_max / self.sigma_min)
