"""Ancestral sampling, for every Gaussian SDE."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser, require_gaussian
from score_sde.samplers.exponential import log_clock
from score_sde.samplers.variances import BridgeVariance, StepVariance
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Condition, Key


class Ancestral(Predictor):
    """Draws x_s from p(x_s | x_t, x_0 = D(x_t, t)) (Ho et al. 2020, eq. 6-7, for any alpha and sigma).

    Also from alpha(t) = 0, where x_s is drawn afresh, and to sigma(s) = 0, where x_s = D. A ``guide``, such
    as a ``NoisyClassifier``, moves the mean by guide_scale times the variance times its score (Dhariwal
    and Nichol 2021, algorithm 1).

    Attributes:
        variance: how much noise is added: ``BridgeVariance()``, ``TransitionVariance()`` or
            ``LearnedVariance()``.
        guide: grad_x log p(y | x_t), or None.
        guide_scale: its weight.
    """

    variance: StepVariance = BridgeVariance()
    guide: ScoreModel | None = None
    guide_scale: float = 1.0

    def log_clock(self, sde: SDE, t: Array) -> Array:
        """That of the exact noise."""
        return log_clock(require_gaussian("Ancestral", sde), t)

    def init(self, model: ScoreModel, x: Batch, t: Array) -> Array:
        """The bridge's variance in the step before: none."""
        del model, x
        return jnp.zeros_like(t)

    def step(
        self,
        key: Key,
        model: ScoreModel,
        x: Batch,
        t: Array,
        s: Array,
        memory: Any = 0.0,
        cond: Condition = None,
    ) -> Step:
        """One step."""
        denoiser = require_denoiser("Ancestral", model)
        sde = denoiser.sde
        bridge, noisy = sde.bridge(t, s), sde.has_score(s)
        least = jnp.where(noisy, jnp.square(bridge.std), memory)
        denoised, variance = self.variance(denoiser, x, t, s, least, cond)
        mean = bridge.c_x * x + bridge.c_0 * denoised
        if self.guide is not None:
            mean = mean + self.guide_scale * variance * self.guide.score(x, t, cond)
        std = jnp.sqrt(jnp.where(noisy & (variance > 0), variance, 1))
        std = jnp.where(noisy & (variance > 0), std, 0)
        return Step(mean + std * arrays.normal_like(key, x), mean, least)
