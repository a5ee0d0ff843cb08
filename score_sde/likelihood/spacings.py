"""Where the times of a bound are placed."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.likelihood.base import Spacing
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array


class EvenLogSNR(Spacing):
    """Even in log-SNR, over which the integrand of a bound is bounded: importance sampling of times.

    Attributes:
        low: smallest log-SNR. Where alpha(T) = 0 the range would be infinite; what lies beyond is
            at most |x - D|^2 exp(low) / 2, in nats.
    """

    low: float = -20.0

    def __call__(self, sde: GaussianSDE, start: Array, end: Array, u: Array) -> tuple[Array, Array]:
        """The time where log-SNR has fallen by a share u of its range."""
        high = sde.log_snr(start)
        low = jnp.maximum(sde.log_snr(end), self.low)
        times = jnp.clip(sde.time_at_log_snr(high + u * (low - high)), start, end)
        return times, jnp.broadcast_to(high - low, u.shape)


class EvenTime(Spacing):
    """Even in time, weighted by g^2 / sigma^2 = -d log SNR / dt."""

    def __call__(self, sde: GaussianSDE, start: Array, end: Array, u: Array) -> tuple[Array, Array]:
        """start + u (end - start)."""
        times = start + u * (end - start)
        return times, (end - start) * sde.squared_diffusion(times) / sde.variance(times)
