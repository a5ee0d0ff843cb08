"""Reverse diffusion: the forward kernel between two times, run backwards."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser, require_gaussian
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Condition, Key


class ReverseDiffusion(Predictor):
    """x_s = x_t - f + G^2 score + G z, where x_t = x_s + f(x_s) + G z is one step of the forward process.

    Song et al. 2021, eq. 46, with the exact kernel of the Gaussian SDE as that step: f = (scale - 1) x,
    G = std. Where alpha(t) = 0 the forward step forgets x_s and cannot be run backwards; there x_s is
    drawn given the denoised state, as ``Ancestral`` does.
    """

    def log_clock(self, sde: SDE, t: Array) -> Array:
        """log (sigma / alpha)^2: G z is alpha_t times the increment between the two."""
        return -require_gaussian("ReverseDiffusion", sde).log_snr(t)

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
        denoiser = require_denoiser("ReverseDiffusion", model)
        estimate = denoiser.estimate(x, t, cond)
        scale, std = denoiser.sde.transition(t, s)
        bridge = denoiser.sde.bridge(t, s)
        mean = jnp.where(
            scale == 0,
            bridge.c_x * x + bridge.c_0 * estimate.denoised,
            (2 - scale) * x + jnp.square(std) * estimate.score,
        )
        std = jnp.where(scale == 0, bridge.std, std)
        return Step(mean + std * arrays.normal_like(key, x), mean, memory)
