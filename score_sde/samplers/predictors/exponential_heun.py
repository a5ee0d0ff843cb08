"""The exponential form of Heun's step."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser
from score_sde.samplers.exponential import Interval, decay, gain, weights
from score_sde.typing import Array, Batch, Condition, Key


class ExponentialHeun(Predictor):
    """D linear in lambda between its value at t and that at the first-order step to s.

    x_s = (sigma_s / sigma_t) x_t + alpha_s int_0^h e^{-(h - u)} (D + (D_s - D) u / h) du: the second-order
    exponential Runge-Kutta method with c_2 = 1 (Hochbruck and Ostermann 2010, section 2). From alpha = 0
    and to sigma = 0 it is of first order; two evaluations are counted there too.
    """

    @property
    def order(self) -> int:
        """Two."""
        return 2

    @property
    def evaluations(self) -> int:
        """Two."""
        return 2

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
        denoiser = require_denoiser("ExponentialHeun", model)
        sde, denoised, interval = denoiser.sde, denoiser(x, t, cond), Interval.of(denoiser.sde, t, s)
        first = decay(sde, t, s) * x + gain(sde, t, s) * denoised
        twice = interval.finite
        there = denoiser(jnp.where(twice, first, x), jnp.where(twice, s, t), cond)
        _, slope = weights((jnp.zeros_like(interval.width), interval.width), interval.width, 1.0)
        mean = first + jnp.where(twice, sde.alpha(s) * slope, 0.0) * (there - denoised)
        return Step(mean, mean, memory)
