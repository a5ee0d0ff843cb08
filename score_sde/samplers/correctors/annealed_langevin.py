"""Langevin steps that shrink with the noise."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Corrector
from score_sde.samplers.checks import require_gaussian, require_positive
from score_sde.typing import Array, Batch, Condition, Key


class AnnealedLangevin(Corrector):
    """x' = x + h score + sqrt(2 h) z with h = 2 (snr sigma(t))^2 (Song and Ermon 2019, algorithm 1).

    Not exact: on N(0, v I) it settles at the variance v / (1 - h / (2 v)).
    """

    snr: float = 0.16

    def __post_init__(self) -> None:
        require_positive("AnnealedLangevin.snr", self.snr)

    def step(self, key: Key, model: ScoreModel, x: Batch, t: Array, cond: Condition = None) -> Batch:
        """One step; x stays where sigma(t) = 0."""
        sde = require_gaussian("AnnealedLangevin", model.sde, "Langevin")
        exists = sde.has_score(t)
        score = model.score(x, jnp.where(exists, t, sde.T), cond)
        h = 2 * jnp.square(self.snr * sde.sigma(t))
        moved = x + h * score + jnp.sqrt(2 * h) * arrays.normal_like(key, x)
        return jnp.where(exists, moved, x)
