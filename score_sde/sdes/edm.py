"""The variance-exploding SDE in the time of Karras et al.: sigma(t) = t."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.pytree import static
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Time


class EDM(GaussianSDE):
    """dx = sqrt(2 t) dw: alpha = 1, sigma = t, T = sigma_max = 80 (Karras et al. 2022, table 1)."""

    T: float = static(80.0)

    def alpha(self, t: Time) -> Array:
        """1."""
        return jnp.ones_like(t)

    def sigma(self, t: Time) -> Array:
        """t."""
        return jnp.asarray(t)

    def drift_rate(self, t: Time) -> Array:
        """0."""
        return jnp.zeros_like(t)

    def time_at_log_snr(self, log_snr: Array) -> Array:
        """exp(-log_snr / 2)."""
        return jnp.exp(-0.5 * log_snr)
