"""A flow solved in another variable than time."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde.integrators.base import Integrator, Solution, VectorField
from score_sde.integrators.checks import time_dtype
from score_sde.typing import Array


class InLogSNR(Integrator):
    """Any solver, in the log-SNR of a Gaussian SDE in the place of time.

    dy/dlambda = field(t(lambda), y) dt/dlambda: in lambda, the probability flow of a Gaussian SDE changes
    evenly (Lu et al. 2022, DPM-Solver, section 3.1), so that equal steps and high orders pay.

    Attributes:
        solver: what solves; its steps and its tolerances are those in lambda.
        sde: the SDE whose flow is solved, which gives ``log_snr`` and ``time_at_log_snr``; both ends of the
            solve need a finite log-SNR.
    """

    sde: Any
    solver: Integrator

    def __call__(
        self,
        field: VectorField,
        y0: Any,
        t0: Array | float,
        t1: Array | float,
        args: tuple[Any, ...] = (),
    ) -> Solution:
        """Solve from t0 to t1, in either direction."""
        ends = [jnp.asarray(t, time_dtype(y0)) for t in (t0, t1)]
        low, high = jnp.minimum(*ends), jnp.maximum(*ends)

        def changed(log_snr: Array, y: Any, *args: Any) -> Any:
            t = jnp.clip(
                self.sde.time_at_log_snr(log_snr), low, high
            )  # rounding may lead out of the interval
            rate = jax.jvp(self.sde.log_snr, (t,), (jnp.ones_like(t),))[1]
            return jax.tree.map(lambda leaf: leaf / _column(rate, leaf), field(t, y, *args))

        begin, end = (self.sde.log_snr(t) for t in ends)
        return self.solver(changed, y0, begin, end, args)


def _column(value: Array, leaf: Array) -> Array:
    return value.reshape(-1, *[1] * (leaf.ndim - 1))
