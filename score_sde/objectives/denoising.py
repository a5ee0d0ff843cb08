"""Denoising score matching for Gaussian SDEs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.arrays import expand, per_example
from score_sde.objectives.base import Objective, Times, Weighting
from score_sde.objectives.times import UniformTimes
from score_sde.objectives.weights import SigmaSquared
from score_sde.pytree import static
from score_sde.typing import Batch, Condition, Key, PerExample, Time


class DenoisingScoreMatching(Objective):
    """E factor(t) |prediction - target|^2 at x_t = alpha x_0 + sigma z (Song et al. 2021, eq. 7).

    Attributes:
        times: law of t.
        weight: what the residual is taken of, and its factor.
        reduction: of the squared residual over one example: a mean by default, or
            ``arrays.half_sum_per_example``, the original code's ``reduce_mean=False``.
    """

    times: Times = UniformTimes()
    weight: Weighting = SigmaSquared()
    reduction: Callable[[Batch], PerExample] = static(arrays.mean_per_example)

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example at one random time with one draw of noise."""
        time_key, noise_key, model_key = jax.random.split(key, 3)
        t = self.times(time_key, model.sde, x0.shape[0])
        return self.at(model, x0, t, arrays.normal_like(noise_key, x0), cond, key=model_key)

    def at(
        self,
        model: Any,
        x0: Batch,
        t: Time,
        z: Batch,
        cond: Condition = None,
        *,
        key: Key | None = None,
    ) -> PerExample:
        """Loss of each example at given times and noise."""
        t = per_example(t, x0)
        x = expand(model.sde.alpha(t), x0) * x0 + expand(model.sde.sigma(t), x0) * z
        residual = self.weight.residual(model, x, t, x0, z, cond, key)
        return self.times.factor(self.weight, model.sde, t) * self.reduction(jnp.square(residual))
