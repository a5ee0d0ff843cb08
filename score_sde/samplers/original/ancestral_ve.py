"""The original code's ancestral predictor for the VE SDE."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_whole
from score_sde.samplers.original.base import neighbouring_sigmas, require_steps
from score_sde.typing import Array, Batch, Condition, Key


class OriginalAncestralVE(Predictor):
    """x + d score + sigma_{i-1} sqrt(d) z / sigma_i with d = sigma_i^2 - sigma_{i-1}^2.

    Song et al. 2021, eq. 47, where sigma_{-1} = 0.

    Attributes:
        N: number of steps of the sampler.
    """

    N: int = static(1000)

    def __post_init__(self) -> None:
        require_whole("OriginalAncestralVE.N", self.N, 1)

    def check(self, n_steps: int) -> None:
        """Raise unless N = n_steps."""
        require_steps("OriginalAncestralVE", self.N, n_steps)

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
        sigma, before = neighbouring_sigmas(model.sde, t, self.N)
        removed = jnp.square(sigma) - jnp.square(before)
        mean = x + removed * model.score(x, t, cond)
        std = before * jnp.sqrt(removed) / sigma
        return Step(mean + std * arrays.normal_like(key, x), mean, memory)
