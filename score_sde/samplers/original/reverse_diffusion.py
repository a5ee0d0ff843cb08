"""The original code's reverse diffusion predictor."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.original.base import Discretization, Reverse, ReverseSDE, require_steps
from score_sde.samplers.original.discretizations import EulerDiscretization
from score_sde.typing import Array, Batch, Condition, Key


class OriginalReverseDiffusion(Predictor):
    """x - f + w G^2 score + G z with the original's discretisation, whatever the next time is.

    Attributes:
        discretization: DDPMDiscretization(N=...) for VP, SMLDDiscretization(N=...) for VE,
            EulerDiscretization(N=...) for everything else.
        reverse: ReverseSDE(), or ReverseODE() for the probability flow.
    """

    discretization: Discretization = EulerDiscretization()
    reverse: Reverse = ReverseSDE()

    def check(self, n_steps: int) -> None:
        """Raise unless the discretisation's N = n_steps."""
        require_steps("OriginalReverseDiffusion.discretization", self.discretization.N, n_steps)

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
        f, G = self.discretization(model.sde, x, t)
        z = arrays.normal_like(key, x)
        mean = x - (f - self.reverse.score_weight * jnp.square(G) * model.score(x, t, cond))
        return Step(mean + self.reverse.noise_weight * G * z, mean, memory)
