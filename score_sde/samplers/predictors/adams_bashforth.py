"""Linear multistep in the logarithm of the signal-to-noise ratio."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_between, require_denoiser, require_terms
from score_sde.samplers.exponential import Interval, Past, combined, place, weights
from score_sde.typing import Array, Batch, Condition, Key


class AdamsBashforth(Predictor):
    """Adams and Bashforth's steps of d(x / alpha) / dlambda = -(sigma / alpha) E[z | x_t].

    lambda = log(alpha / sigma). The polynomial through the last values of the right-hand side is integrated
    (Hairer, Norsett and Wanner 1993, section III.5, variable steps). The first steps have fewer terms; from
    alpha = 0 and to sigma = 0 it is ``DDIM``.

    Attributes:
        terms: values, 1 to 4.
    """

    terms: int = static(3)

    def __post_init__(self) -> None:
        require_between("AdamsBashforth.terms", self.terms, 1, 4)

    @property
    def order(self) -> int:
        """``terms``."""
        return self.terms

    def check(self, n_steps: int) -> None:
        """Raise where there are more terms than steps."""
        require_terms("AdamsBashforth.terms", self.terms, n_steps)

    def init(self, model: ScoreModel, x: Batch, t: Array) -> Past:
        """No value is known."""
        del model
        return Past.empty(x, t, self.terms - 1)

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
        denoiser = require_denoiser("AdamsBashforth", model)
        sde, estimate = denoiser.sde, denoiser.estimate(x, t, cond)
        interval, there = Interval.of(sde, t, s), sde.alpha(t) > 0
        begins = jnp.where(there, t, 0.5 * sde.T)
        slope = -sde.sigma(begins) / sde.alpha(begins) * estimate.noise
        mean = sde.alpha(s) * estimate.denoised + sde.sigma(s) * estimate.noise
        for terms in range(1, self.terms + 1):
            places = (jnp.zeros_like(interval.at), *(at - interval.at for at in memory.at[: terms - 1]))
            total = combined(weights(places, interval.width, 0.0), (slope, *memory.values[: terms - 1]))
            found = sde.alpha(s) * (x / sde.alpha(begins) + total)
            mean = jnp.where(interval.finite & (memory.known >= terms - 1), found, mean)
        return Step(mean, mean, memory.push(slope, *place(sde, t)))
