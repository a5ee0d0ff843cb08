"""The original code's annealed Langevin corrector."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Corrector
from score_sde.samplers.checks import require_gaussian, require_positive
from score_sde.samplers.original.base import StepScale
from score_sde.samplers.original.step_scales import UnitAlpha
from score_sde.typing import Array, Batch, Condition, Key


class OriginalAnnealedLangevin(Corrector):
    """x + h score + sqrt(2 h) z with h = 2 alpha (snr sigma(t))^2.

    Attributes:
        snr: step size in units of sigma(t).
        alpha: DDPMAlpha(N=...) for VP and sub-VP, UnitAlpha() for VE.
    """

    snr: float = 0.16
    alpha: StepScale = UnitAlpha()

    def __post_init__(self) -> None:
        require_positive("OriginalAnnealedLangevin.snr", self.snr)

    def check(self, n_steps: int) -> None:
        """Raise unless alpha fits a sampler of ``n_steps`` steps."""
        self.alpha.check(n_steps)

    def step(self, key: Key, model: ScoreModel, x: Batch, t: Array, cond: Condition = None) -> Batch:
        """One step; x stays where sigma(t) = 0."""
        sde = require_gaussian("OriginalAnnealedLangevin", model.sde)
        exists = sde.has_score(t)
        at = jnp.where(exists, t, sde.T)
        score = model.score(x, at, cond)
        h = 2 * self.alpha(sde, at) * jnp.square(self.snr * sde.sigma(at))
        moved = x + h * score + jnp.sqrt(2 * h) * arrays.normal_like(key, x)
        return jnp.where(exists, moved, x)
