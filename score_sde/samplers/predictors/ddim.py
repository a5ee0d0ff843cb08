"""Denoising diffusion implicit models."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser, require_gaussian, require_not_negative
from score_sde.samplers.exponential import log_clock
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Condition, Key


class DDIM(Predictor):
    """alpha_s D + sqrt(sigma_s^2 - std^2) E[z | x_t] + std z', std = eta times the bridge's.

    Song, Meng and Ermon 2021, eq. 12 and 16, for any alpha and sigma. With eta = 0 nothing is
    random; with eta = 1 it is ``Ancestral``.
    """

    eta: float = 0.0

    def __post_init__(self) -> None:
        require_not_negative("DDIM.eta", self.eta)

    def log_clock(self, sde: SDE, t: Array) -> Array:
        """That of the exact noise."""
        return log_clock(require_gaussian("DDIM", sde), t)

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
        denoiser = require_denoiser("DDIM", model)
        sde, estimate = denoiser.sde, denoiser.estimate(x, t, cond)
        std = self.eta * sde.bridge(t, s).std
        left = sde.variance(s) - jnp.square(std)
        kept = jnp.where(left > 0, jnp.sqrt(jnp.where(left > 0, left, 1)), 0)
        mean = sde.alpha(s) * estimate.denoised + kept * estimate.noise
        return Step(mean + std * arrays.normal_like(key, x), mean, memory)
