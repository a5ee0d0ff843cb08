"""Variance-preserving SDE with the cosine schedule."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.checks import require_positive
from score_sde.typing import Array, Time


class Cosine(GaussianSDE):
    """alpha = cos(u(t)) / cos(u(0)), u(t) = pi/2 (t + offset) / (1 + offset), sigma^2 = 1 - alpha^2, T = 1.

    alpha(T) = 0: x_T is pure noise (Nichol and Dhariwal 2021, eq. 17, with offset s = 0.008).
    """

    offset: float = 0.008

    def __post_init__(self) -> None:
        require_positive("Cosine.offset", self.offset)

    def _angle(self, t: Time) -> Array:
        return 0.5 * jnp.pi * (jnp.asarray(t) + self.offset) / (1 + self.offset)

    def _angle_left(self, t: Time) -> Array:
        return 0.5 * jnp.pi * (1 - jnp.asarray(t)) / (1 + self.offset)  # pi/2 - u(t): exactly 0 at T

    def alpha(self, t: Time) -> Array:
        """cos(u(t)) / cos(u(0)), exactly 0 at T."""
        return jnp.sin(self._angle_left(t)) / jnp.cos(self._angle(0.0))

    def sigma(self, t: Time) -> Array:
        """sqrt(1 - alpha^2)."""
        return jnp.sqrt(self.variance(t))

    def variance(self, t: Time) -> Array:
        """1 - alpha^2 = sin(u - u_0) sin(u + u_0) / cos(u_0)^2, without cancellation at small t."""
        first, angle = self._angle(0.0), self._angle(t)
        gap = 0.5 * jnp.pi * jnp.asarray(t) / (1 + self.offset)
        return jnp.sin(gap) * jnp.sin(angle + first) / jnp.cos(first) ** 2

    def drift_rate(self, t: Time) -> Array:
        """-tan(u) du/dt; -inf at T."""
        rate = 0.5 * jnp.pi / (1 + self.offset)
        return -rate / jnp.tan(self._angle_left(t))

    def squared_diffusion(self, t: Time) -> Array:
        """-2 f, since alpha^2 + sigma^2 = 1; inf at T."""
        return -2 * self.drift_rate(t)
