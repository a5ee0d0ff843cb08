"""Langevin steps of a given signal-to-noise ratio."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Corrector
from score_sde.samplers.checks import require_positive
from score_sde.samplers.correctors.norms import Norm, PerExampleNorm
from score_sde.typing import Array, Batch, Condition, Key


class Langevin(Corrector):
    """x' = x + h score + sqrt(2 h) z with h = 2 (snr |z| / |score|)^2 (Song et al. 2021, algorithm 4).

    Not exact: on N(0, v I) in many dimensions it settles at the variance (1 + snr^2) v. With per-example
    norms a step of length y, due to a small score, has a probability that falls only like y^-d in d
    dimensions: in one or two, use BatchMeanNorm() or another corrector. An example whose score is zero
    stays.

    Attributes:
        snr: the ratio r of the paper, 0.16 for its CIFAR-10 models.
        norm: PerExampleNorm(), or BatchMeanNorm() as in the original code.
    """

    snr: float = 0.16
    norm: Norm = PerExampleNorm()

    def __post_init__(self) -> None:
        require_positive("Langevin.snr", self.snr)

    def step(self, key: Key, model: ScoreModel, x: Batch, t: Array, cond: Condition = None) -> Batch:
        """One step; x stays where sigma(t) = 0."""
        exists = model.sde.has_score(t)
        score = model.score(x, jnp.where(exists, t, model.sde.T), cond)
        noise = arrays.normal_like(key, x)
        size = self.norm(score)
        ratio = jnp.where(size > 0, self.norm(noise) / jnp.where(size > 0, size, 1), 0)
        h = arrays.expand(2 * jnp.square(self.snr * ratio), x)
        return jnp.where(exists, x + h * score + jnp.sqrt(2 * h) * noise, x)
