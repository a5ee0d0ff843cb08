"""The exponential form of the classical Runge-Kutta step."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser
from score_sde.samplers.exponential import Interval, combined, decay, gain, time_at, weights
from score_sde.typing import Array, Batch, Condition, Key


class ExponentialRK4(Predictor):
    """ETDRK4 (Cox and Matthews 2002, eq. 26-29) of dv / dlambda = -v + D, v = x / alpha.

    Two first-order steps to the middle, one from there to s, and D as the parabola through its values at
    t, the middle (the mean of two) and s. From alpha = 0 and to sigma = 0 it is of first order;
    four evaluations are counted there too.
    """

    @property
    def order(self) -> int:
        """Four."""
        return 4

    @property
    def evaluations(self) -> int:
        """Four."""
        return 4

    def step(
        self,
        key: Key,
        model: ScoreModel,
        x: Batch,
        t: Array,
        s: Array,
        memory: Any = (),
        cond: Condition = None,
    ) -> Step:
        """One step."""
        del key
        denoiser = require_denoiser("ExponentialRK4", model)
        sde, d, interval = denoiser.sde, denoiser(x, t, cond), Interval.of(denoiser.sde, t, s)
        width, inside = interval.width, interval.finite
        middle, end = time_at(sde, interval, 0.5, t), jnp.where(inside, s, t)

        def onward(x: Batch, d: Batch, t: Array, s: Array) -> Batch:
            return jnp.where(inside, decay(sde, t, s) * x + gain(sde, t, s) * d, x)

        a = onward(x, d, t, middle)
        d_a = denoiser(a, middle, cond)
        d_b = denoiser(onward(x, d_a, t, middle), middle, cond)
        d_c = denoiser(onward(a, 2 * d_b - d, middle, end), end, cond)
        chosen = weights((jnp.zeros_like(width), 0.5 * width, width), width, 1.0)
        total = sde.alpha(s) * combined(chosen, (d, 0.5 * (d_a + d_b), d_c))
        mean = decay(sde, t, s) * x + jnp.where(inside, total, gain(sde, t, s) * d)
        return Step(mean, mean, memory)
