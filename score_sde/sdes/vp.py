"""Variance-preserving SDE."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.sdes.base import GaussianSDE, NormalPrior, Prior
from score_sde.sdes.checks import require_increasing
from score_sde.typing import Array, Time


class VP(GaussianSDE):
    """dx = -beta(t) x / 2 dt + sqrt(beta(t)) dw with beta linear from beta_min to beta_max.

    log alpha = -t^2 (beta_max - beta_min) / 4 - t beta_min / 2, sigma^2 = 1 - alpha^2, T = 1
    (Song et al. 2021, eq. 11 and 32-33; defaults of its appendix C).
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        require_increasing("VP.beta_max", self.beta_min, self.beta_max, "beta_min")

    def log_alpha(self, t: Time) -> Array:
        """log alpha(t)."""
        t = jnp.asarray(t)
        return -0.25 * t**2 * (self.beta_max - self.beta_min) - 0.5 * t * self.beta_min

    def alpha(self, t: Time) -> Array:
        """exp(log alpha)."""
        return jnp.exp(self.log_alpha(t))

    def sigma(self, t: Time) -> Array:
        """sqrt(1 - alpha^2)."""
        return jnp.sqrt(self.variance(t))

    def variance(self, t: Time) -> Array:
        """1 - alpha^2, without cancellation at small t."""
        return -jnp.expm1(2 * self.log_alpha(t))

    def drift_rate(self, t: Time) -> Array:
        """-beta(t) / 2."""
        return -0.5 * self.squared_diffusion(t)

    def squared_diffusion(self, t: Time) -> Array:
        """beta(t)."""
        return self.beta_min + jnp.asarray(t) * (self.beta_max - self.beta_min)

    def time_at_log_snr(self, log_snr: Array) -> Array:
        """Root of t^2 (beta_max - beta_min) / 2 + t beta_min = log(1 + exp(-log_snr))."""
        exponent = jnp.logaddexp(0.0, -log_snr)
        slope = self.beta_max - self.beta_min
        return 2 * exponent / (self.beta_min + jnp.sqrt(self.beta_min**2 + 2 * slope * exponent))

    def prior(self, shape: tuple[int, ...]) -> Prior:
        """N(0, I)."""
        return NormalPrior(shape=shape)
