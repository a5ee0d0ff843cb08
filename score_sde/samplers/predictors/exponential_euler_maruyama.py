"""The first-order exponential step of the reverse family."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser, require_gaussian, require_not_negative
from score_sde.samplers.exponential import added, decay, gain, log_clock
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Condition, Key


class ExponentialEulerMaruyama(Predictor):
    """The linear part and the noise exactly, D as it is at t (Lu et al. 2022b; Xue et al. 2023).

    x_s = (sigma_s / sigma_t) e^{-c^2 h} x_t + alpha_s (1 - e^{-(1 + c^2) h}) D
    + sigma_s sqrt(1 - e^{-2 c^2 h}) z, h the step in lambda = log(alpha / sigma).
    Churn c = 0 is ``DDIM``, c = 1 ``Ancestral`` (SDE-DPM-Solver++ of first order).
    """

    churn: float = 1.0

    def __post_init__(self) -> None:
        require_not_negative("ExponentialEulerMaruyama.churn", self.churn)

    def log_clock(self, sde: SDE, t: Array) -> Array:
        """That of the exact noise."""
        return log_clock(require_gaussian("ExponentialEulerMaruyama", sde), t, jnp.square(self.churn))

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
        denoiser = require_denoiser("ExponentialEulerMaruyama", model)
        sde, churn2 = denoiser.sde, jnp.square(self.churn)
        denoised = denoiser(x, t, cond)
        mean = decay(sde, t, s, churn2) * x + gain(sde, t, s, churn2) * denoised
        return Step(mean + added(sde, t, s, churn2) * arrays.normal_like(key, x), mean, memory)
