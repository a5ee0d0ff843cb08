"""The original code's noise removal after its ODE sampler."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Final
from score_sde.samplers.original.base import Discretization
from score_sde.samplers.original.discretizations import EulerDiscretization
from score_sde.typing import Array, Batch, Condition, Key


class OriginalNoiseRemoval(Final):
    """x - f + G^2 score: a reverse diffusion step from the last time, without its noise.

    Attributes:
        discretization: that of the SDE, as in OriginalReverseDiffusion.
    """

    discretization: Discretization = EulerDiscretization()

    @property
    def evaluations(self) -> int:
        """One."""
        return 1

    def __call__(
        self, key: Key, model: ScoreModel, x: Batch, mean: Batch, t: Array, cond: Condition = None
    ) -> Batch:
        """The mean of the step."""
        del key, mean
        f, G = self.discretization(model.sde, x, t)
        return x - f + jnp.square(G) * model.score(x, t, cond)
