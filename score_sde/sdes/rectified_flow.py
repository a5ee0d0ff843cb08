"""The straight path between data and noise, as a Gaussian SDE."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Time


class RectifiedFlow(GaussianSDE):
    """x_t = (1 - t) x_0 + t z: alpha = 1 - t, sigma = t, T = 1 (Liu et al. 2023; Lipman et al. 2023).

    As an SDE: dx = -x / (1 - t) dt + sqrt(2 t / (1 - t)) dw. Both coefficients are infinite at T,
    where x_T is pure noise; velocity, kernels and bridges are finite on all of [0, T].
    """

    def alpha(self, t: Time) -> Array:
        """1 - t."""
        return 1 - jnp.asarray(t)

    def sigma(self, t: Time) -> Array:
        """t."""
        return jnp.asarray(t)

    def squared_diffusion(self, t: Time) -> Array:
        """2 t / (1 - t)."""
        t = jnp.asarray(t)
        return 2 * t / (1 - t)

    def time_at_log_snr(self, log_snr: Array) -> Array:
        """1 / (1 + exp(log_snr / 2))."""
        return 1 / (1 + jnp.exp(0.5 * jnp.asarray(log_snr)))
