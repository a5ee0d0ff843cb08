"""The original code's Euler-Maruyama predictor."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_whole
from score_sde.samplers.original.base import Reverse, ReverseSDE, require_steps
from score_sde.typing import Array, Batch, Condition, Key


class OriginalEulerMaruyama(Predictor):
    """x - (f - w g^2 score) / N + g z / sqrt(N), whatever the next time is.

    Attributes:
        N: number of steps of the sampler.
        reverse: ReverseSDE(), or ReverseODE() for the probability flow.
    """

    N: int = static(1000)
    reverse: Reverse = ReverseSDE()

    def __post_init__(self) -> None:
        require_whole("OriginalEulerMaruyama.N", self.N, 1)

    def check(self, n_steps: int) -> None:
        """Raise unless N = n_steps."""
        require_steps("OriginalEulerMaruyama", self.N, n_steps)

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
        dt = -1 / self.N
        z = arrays.normal_like(key, x)
        diffusion = model.sde.diffusion(t)
        weight = self.reverse.score_weight * jnp.square(diffusion)
        mean = x + (model.sde.drift(x, t) - weight * model.score(x, t, cond)) * dt
        return Step(mean + self.reverse.noise_weight * diffusion * jnp.sqrt(-dt) * z, mean, memory)
