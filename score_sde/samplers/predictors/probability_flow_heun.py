"""Heun steps of the probability-flow ODE."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.typing import Array, Batch, Condition, Key


class ProbabilityFlowHeun(Predictor):
    """x_s = x_t + (s - t) (v(x_t, t) + v(y, s)) / 2 with y the Euler step (Karras et al. 2022, algorithm 1).

    Where sigma(s) = 0 the velocity at s need not exist and y is the result; the step still counts two
    evaluations, the second being made at t and set aside.
    """

    @property
    def order(self) -> int:
        """Two."""
        return 2

    @property
    def evaluations(self) -> int:
        """Two."""
        return 2

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
        del key
        first = model.velocity(x, t, cond)
        euler = x + (s - t) * first
        exists = model.sde.has_score(s)
        second = model.velocity(euler, jnp.where(exists, s, t), cond)
        mean = jnp.where(exists, x + 0.5 * (s - t) * (first + second), euler)
        return Step(mean, mean, memory)
