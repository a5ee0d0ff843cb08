"""The original code's Langevin corrector."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Corrector
from score_sde.samplers.checks import require_positive
from score_sde.samplers.original.base import StepScale
from score_sde.samplers.original.step_scales import UnitAlpha
from score_sde.typing import Array, Batch, Condition, Key


class OriginalLangevin(Corrector):
    """x + h score + sqrt(2 h) z with h = 2 alpha (snr mean|z| / mean|score|)^2, means over the batch.

    Attributes:
        snr: the signal-to-noise ratio r (Song et al. 2021, algorithms 4 and 5).
        alpha: DDPMAlpha(N=...) for VP and sub-VP, UnitAlpha() for VE.
    """

    snr: float = 0.16
    alpha: StepScale = UnitAlpha()

    def __post_init__(self) -> None:
        require_positive("OriginalLangevin.snr", self.snr)

    def check(self, n_steps: int) -> None:
        """Raise unless alpha fits a sampler of ``n_steps`` steps."""
        self.alpha.check(n_steps)

    def step(self, key: Key, model: ScoreModel, x: Batch, t: Array, cond: Condition = None) -> Batch:
        """One step; x stays where sigma(t) = 0."""
        exists = model.sde.has_score(t)
        at = jnp.where(exists, t, model.sde.T)
        score = model.score(x, at, cond)
        z = arrays.normal_like(key, x)
        ratio = jnp.mean(arrays.norm_per_example(z)) / jnp.mean(arrays.norm_per_example(score))
        h = 2 * self.alpha(model.sde, at) * jnp.square(self.snr * ratio)
        return jnp.where(exists, x + h * score + jnp.sqrt(2 * h) * z, x)
