"""Sub-variance-preserving SDE."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.sdes.linear_beta import LinearBeta
from score_sde.typing import Array, Time


class SubVP(LinearBeta):
    """dx = -beta(t) x / 2 dt + sqrt(beta(t) (1 - alpha^4)) dw, with variance below the VP SDE's.

    sigma = 1 - alpha^2 (Song et al. 2021, eq. 14 and appendix B).
    """

    def sigma(self, t: Time) -> Array:
        """1 - alpha^2, without cancellation at small t."""
        return -jnp.expm1(2 * self.log_alpha(t))

    def squared_diffusion(self, t: Time) -> Array:
        """beta(t) (1 - alpha^4)."""
        return -self.beta(t) * jnp.expm1(4 * self.log_alpha(t))

    def time_at_log_snr(self, log_snr: Array) -> Array:
        """The t at which alpha = (sqrt(r^2 + 4) - r) / 2 with r = sigma / alpha = exp(-log_snr / 2)."""
        half = jnp.arcsinh(0.5 * jnp.exp(-0.5 * jnp.asarray(log_snr)))  # alpha = exp(-half)
        return self._time_at_log_alpha(-half)
