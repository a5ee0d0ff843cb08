"""The original code's ancestral predictor for the VP SDE."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_whole
from score_sde.samplers.original.base import ddpm_betas, index, require_steps
from score_sde.typing import Array, Batch, Condition, Key


class OriginalAncestralVP(Predictor):
    """(x + beta_i score) / sqrt(1 - beta_i) + sqrt(beta_i) z (Ho et al. 2020, algorithm 2, sigma^2 = beta).

    Attributes:
        N: number of steps of the sampler.
    """

    N: int = static(1000)

    def __post_init__(self) -> None:
        require_whole("OriginalAncestralVP.N", self.N, 1)

    def check(self, n_steps: int) -> None:
        """Raise unless N = n_steps."""
        require_steps("OriginalAncestralVP", self.N, n_steps)

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
        del s
        beta = ddpm_betas(model.sde, self.N)[index(model.sde, t, self.N)]
        mean = (x + beta * model.score(x, t, cond)) / jnp.sqrt(1 - beta)
        return Step(mean + jnp.sqrt(beta) * arrays.normal_like(key, x), mean, memory)
