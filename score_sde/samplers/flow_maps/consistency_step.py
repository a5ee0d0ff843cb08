"""Sampling from consistency models."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser, require_not_negative
from score_sde.typing import Array, Batch, Condition, Key


class ConsistencyStep(Predictor):
    """x_s = alpha_s f(x_t, t) + std z: to the beginning of the path, and noise again.

    f is the model's D, the path's value where sigma / alpha = sigma_min; std^2 = sigma_s^2 - (alpha_s
    sigma_min)^2, which is 0 there (Song et al. 2023, algorithm 1). On ``samplers.Karras`` one step is one
    evaluation of pure noise. With the exact f any number of steps has the right law; more do not converge to
    anything, but each leaves less of the error that f makes of large noise.

    Attributes:
        sigma_min: as in ``denoisers.ConsistencyPrecondition``. With 0, as if paths began at the data, a small
            one is nearly as well served, if the noise of the last state is left out (``samplers.KeepMean``).
    """

    sigma_min: float = 0.0

    def __post_init__(self) -> None:
        require_not_negative("ConsistencyStep.sigma_min", self.sigma_min)

    @property
    def order(self) -> int:
        """Errors are those of f, whatever the steps."""
        return 0

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
        denoiser = require_denoiser("ConsistencyStep", model)
        alpha = denoiser.sde.alpha(s)
        left = denoiser.sde.variance(s) - jnp.square(alpha * self.sigma_min)
        std = jnp.where(left > 0, jnp.sqrt(jnp.where(left > 0, left, 1)), 0)
        mean = alpha * denoiser(x, t, cond)
        return Step(mean + std * arrays.normal_like(key, x), mean, memory)
