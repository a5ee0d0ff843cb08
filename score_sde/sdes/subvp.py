"""Sub-variance-preserving SDE."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.sdes.base import GaussianSDE, NormalPrior, Prior
from score_sde.sdes.checks import require_increasing
from score_sde.typing import Array, Time


class SubVP(GaussianSDE):
    """dx = -beta(t) x / 2 dt + sqrt(beta(t) (1 - alpha^4)) dw, with variance below the VP SDE's.

    log alpha = -t^2 (beta_max - beta_min) / 4 - t beta_min / 2, sigma = 1 - alpha^2, T = 1
    (Song et al. 2021, eq. 14 and appendix B).
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        require_increasing("SubVP.beta_max", self.beta_min, self.beta_max, "beta_min")

    def log_alpha(self, t: Time) -> Array:
        """log alpha(t)."""
        t = jnp.asarray(t)
        return -0.25 * t**2 * (self.beta_max - self.beta_min) - 0.5 * t * self.beta_min

    def alpha(self, t: Time) -> Array:
        """exp(log alpha)."""
        return jnp.exp(self.log_alpha(t))

    def sigma(self, t: Time) -> Array:
        """1 - alpha^2, without cancellation at small t."""
        return -jnp.expm1(2 * self.log_alpha(t))

    def drift_rate(self, t: Time) -> Array:
        """-beta(t) / 2."""
        return -0.5 * (self.beta_min + jnp.asarray(t) * (self.beta_max - self.beta_min))

    def squared_diffusion(self, t: Time) -> Array:
        """beta(t) (1 - alpha^4)."""
        return 2 * self.drift_rate(t) * jnp.expm1(4 * self.log_alpha(t))

    def prior(self, shape: tuple[int, ...]) -> Prior:
        """N(0, I)."""
        return NormalPrior(shape=shape)
