"""Variance-preserving SDE."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.sdes.linear_beta import LinearBeta
from score_sde.typing import Array, Time


class VP(LinearBeta):
    """dx = -beta(t) x / 2 dt + sqrt(beta(t)) dw.

    sigma^2 = 1 - alpha^2 (Song et al. 2021, eq. 11 and 32-33).
    """

    def sigma(self, t: Time) -> Array:
        """sqrt(1 - alpha^2)."""
        return jnp.sqrt(self.variance(t))

    def variance(self, t: Time) -> Array:
        """1 - alpha^2, without cancellation at small t."""
        return -jnp.expm1(2 * self.log_alpha(t))

    def squared_diffusion(self, t: Time) -> Array:
        """beta(t)."""
        return self.beta(t)

    def time_at_log_snr(self, log_snr: Array) -> Array:
        """The t at which log alpha = -log(1 + exp(-log_snr)) / 2."""
        return self._time_at_log_alpha(-0.5 * jnp.logaddexp(0.0, -jnp.asarray(log_snr)))
