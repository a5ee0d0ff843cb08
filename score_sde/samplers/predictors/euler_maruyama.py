"""Euler-Maruyama steps of the reverse family."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_not_negative
from score_sde.typing import Array, Batch, Condition, Key


class EulerMaruyama(Predictor):
    """x_s = x_t + (s - t) ((1 + churn^2) v - churn^2 f) + churn g sqrt(t - s) z, v the flow's velocity.

    That is the reverse drift f - (1 + churn^2) g^2 score / 2 with the score written through v = f -
    g^2 score / 2; churn 1 is the reverse SDE, 0 the probability flow (Song et al. 2021, eq. 6 and 13).
    Works for every SDE. Where g(t) is infinite (alpha(T) = 0) any churn > 0 makes x_s independent of
    x_t: the step is then the exact draw N(alpha_s E[x_0], sigma_s^2 I).
    """

    churn: float = 1.0

    def __post_init__(self) -> None:
        require_not_negative("EulerMaruyama.churn", self.churn)

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
        sde, churn2 = model.sde, jnp.square(self.churn)
        velocity = model.velocity(x, t, cond)
        finite = jnp.isfinite(sde.diffusion(t))
        at = jnp.where(finite, t, s)  # so that no infinite coefficient enters, even with weight zero
        drift = (1 + churn2) * velocity - churn2 * sde.drift(x, at)
        std = self.churn * sde.diffusion(at) * jnp.sqrt(t - s)
        fresh, restarted = sde.restart(x, velocity, t, s), ~finite & (churn2 > 0)
        mean = jnp.where(restarted, fresh.mean, x + (s - t) * drift)
        std = jnp.where(restarted, fresh.std, std)
        return Step(mean + std * arrays.normal_like(key, x), mean, memory)
