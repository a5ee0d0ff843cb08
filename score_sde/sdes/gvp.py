"""The trigonometric path between data and noise, as a Gaussian SDE."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Time


class GVP(GaussianSDE):
    """x_t = cos(pi t / 2) x_0 + sin(pi t / 2) z, T = 1: the "generalized variance-preserving" path of SiT.

    Ma et al. 2024 count time from noise to data. ``Cosine`` with an offset of 0, which it forbids: sigma
    starts like t and not like its square root, so that its rate is finite everywhere. Drift and diffusion
    are infinite at T, where x_T is pure noise.
    """

    def alpha(self, t: Time) -> Array:
        """cos(pi t / 2), exactly 0 at T."""
        return jnp.sin(0.5 * jnp.pi * (1 - jnp.asarray(t)))

    def sigma(self, t: Time) -> Array:
        """sin(pi t / 2)."""
        return jnp.sin(0.5 * jnp.pi * jnp.asarray(t))

    def drift_rate(self, t: Time) -> Array:
        """-pi/2 tan(pi t / 2); -inf at T."""
        return -0.5 * jnp.pi / jnp.tan(0.5 * jnp.pi * (1 - jnp.asarray(t)))

    def squared_diffusion(self, t: Time) -> Array:
        """-2 f, since alpha^2 + sigma^2 = 1; inf at T."""
        return -2 * self.drift_rate(t)

    def time_at_log_snr(self, log_snr: Array) -> Array:
        """2/pi arctan(exp(-log_snr / 2))."""
        return jnp.arctan(jnp.exp(-0.5 * jnp.asarray(log_snr))) * (2 / jnp.pi)
