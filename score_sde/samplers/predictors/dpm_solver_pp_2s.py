"""DPM-Solver++(2S)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser
from score_sde.samplers.exponential import Interval, decay, gain, time_at
from score_sde.typing import Array, Batch, Condition, Key


class DPMSolverPP2S(Predictor):
    """A first-order step to a time between, whose D is then extrapolated to half the step.

    With u the first-order step to lambda_t + r h and D_u there, x_s is the first-order step from t with
    (1 - 1 / (2 r)) D + D_u / (2 r) in place of D (Lu et al. 2022b, algorithm 1). From alpha = 0
    and to sigma = 0 it is of first order; two evaluations are counted there too.

    Attributes:
        r: where u is, in (0, 1].
    """

    r: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.r <= 1:
            raise InputError("DPMSolverPP2S.r", self.r, "a number above 0 and at most 1", "0.5 is usual")

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
        denoiser = require_denoiser("DPMSolverPP2S", model)
        sde, denoised, interval = denoiser.sde, denoiser(x, t, cond), Interval.of(denoiser.sde, t, s)
        between = time_at(sde, interval, self.r, t)
        u = jnp.where(interval.finite, decay(sde, t, between) * x + gain(sde, t, between) * denoised, x)
        there = denoiser(u, between, cond)
        middle = denoised + jnp.where(interval.finite, 0.5 / self.r, 0.0) * (there - denoised)
        mean = decay(sde, t, s) * x + gain(sde, t, s) * middle
        return Step(mean, mean, memory)
