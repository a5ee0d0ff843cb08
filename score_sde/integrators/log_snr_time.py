"""Solving in log-SNR instead of time."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde.arrays import expand
from score_sde.integrators.base import Integrator, Solution, VectorField
from score_sde.integrators.checks import time_dtype
from score_sde.typing import Array, PerExample


class LogSNRTime(Integrator):
    """Another integrator on dy / d lambda = field(t, y) dt / d lambda, lambda = log SNR(t).

    The probability flow of a Gaussian SDE changes evenly in lambda, and like 1 / sqrt(t) at small times in t:
    an adaptive solver takes fewer steps for the same tolerance.

    Attributes:
        sde: the SDE whose flow is solved; both ends need a finite log-SNR.
        inner: the integrator.
    """

    sde: Any
    inner: Integrator

    def __call__(
        self,
        field: VectorField,
        y0: Any,
        t0: Array | float,
        t1: Array | float,
        args: tuple[Any, ...] = (),
    ) -> Solution:
        """Solve from t0 to t1, in either direction."""
        begin, end = (jnp.asarray(t, time_dtype(y0)) for t in (t0, t1))

        def slope(log_snr: PerExample, y: Any, *args: Any) -> Any:
            t = jnp.clip(self.sde.time_at_log_snr(log_snr), jnp.minimum(begin, end), jnp.maximum(begin, end))
            rate = -self.sde.variance(t) / self.sde.squared_diffusion(t)  # dt / d lambda
            return jax.tree.map(lambda part: expand(rate, part) * part, field(t, y, *args))

        return self.inner(slope, y0, self.sde.log_snr(begin), self.sde.log_snr(end), args)
