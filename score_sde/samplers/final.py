"""What becomes of the last state."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Final
from score_sde.samplers.checks import require_denoiser
from score_sde.typing import Array, Batch, Condition, Key


class KeepSample(Final):
    """The last state, a sample of p_t at the last time."""

    def __call__(
        self, key: Key, model: ScoreModel, x: Batch, mean: Batch, t: Array, cond: Condition = None
    ) -> Batch:
        """The state."""
        del key, model, mean, t, cond
        return x


class KeepMean(Final):
    """The last predictor step without its noise: the original code's denoising.

    Song et al. 2021, appendix G; costs nothing.
    """

    def __call__(
        self, key: Key, model: ScoreModel, x: Batch, mean: Batch, t: Array, cond: Condition = None
    ) -> Batch:
        """The mean."""
        del key, model, x, t, cond
        return mean


class Denoise(Final):
    """E[x_0 | x_t] at the last time by one more evaluation (Tweedie's formula); x where sigma(t) = 0."""

    @property
    def evaluations(self) -> int:
        """One."""
        return 1

    def __call__(
        self, key: Key, model: ScoreModel, x: Batch, mean: Batch, t: Array, cond: Condition = None
    ) -> Batch:
        """The denoised state."""
        del key, mean
        denoiser = require_denoiser("Denoise", model)
        noisy = denoiser.sde.has_score(t)
        denoised = denoiser(x, jnp.where(noisy, t, denoiser.sde.T), cond)
        return jnp.where(noisy, denoised, x)


class FlowStep(Final):
    """One Euler step of the probability flow to t = 0, x - t velocity; x where t = 0 ("Euler" of SiT)."""

    @property
    def evaluations(self) -> int:
        """One."""
        return 1

    def __call__(
        self, key: Key, model: ScoreModel, x: Batch, mean: Batch, t: Array, cond: Condition = None
    ) -> Batch:
        """The state at 0."""
        del key, mean
        at = jnp.where(t > 0, t, model.sde.T)
        return jnp.where(t > 0, x - t * model.velocity(x, at, cond), x)
