"""The drift that the VP and sub-VP SDEs share."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.sdes.base import GaussianSDE, NormalPrior, Prior
from score_sde.sdes.checks import require_increasing
from score_sde.typing import Array, Time


class LinearBeta(GaussianSDE):
    """Drift -beta(t) x / 2 with beta(t) linear from beta_min to beta_max, T = 1.

    log alpha = -t^2 (beta_max - beta_min) / 4 - t beta_min / 2 (Song et al. 2021, eq. 32-33;
    defaults of its appendix C).
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        require_increasing(f"{type(self).__name__}.beta_max", self.beta_min, self.beta_max, "beta_min")

    def beta(self, t: Time) -> Array:
        """beta_min + t (beta_max - beta_min)."""
        return self.beta_min + jnp.asarray(t) * (self.beta_max - self.beta_min)

    def log_alpha(self, t: Time) -> Array:
        """log alpha(t)."""
        t = jnp.asarray(t)
        return -0.25 * t**2 * (self.beta_max - self.beta_min) - 0.5 * t * self.beta_min

    def alpha(self, t: Time) -> Array:
        """exp(log alpha)."""
        return jnp.exp(self.log_alpha(t))

    def drift_rate(self, t: Time) -> Array:
        """-beta(t) / 2."""
        return -0.5 * self.beta(t)

    def prior(self, shape: tuple[int, ...]) -> Prior:
        """N(0, I)."""
        return NormalPrior(shape=shape)

    def _time_at_log_alpha(self, log_alpha: Array) -> Array:
        slope = self.beta_max - self.beta_min
        return -4 * log_alpha / (self.beta_min + jnp.sqrt(self.beta_min**2 - 4 * slope * log_alpha))
