"""Exponential Adams-Bashforth steps of the reverse family."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import (
    require_between,
    require_denoiser,
    require_gaussian,
    require_not_negative,
    require_terms,
)
from score_sde.samplers.exponential import Past, added, decay, integral, log_clock, place
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Condition, Key


class ExponentialMultistep(Predictor):
    """D is the polynomial in lambda through its last values; the rest is exact (Xue et al. 2023).

    It is the predictor of SA-Solver. At churn 0 and ``terms`` = 3 it is what DPM-Solver++(3M) is meant to be,
    with the weight of the quadratic term that makes it of third order. The first steps, and those from
    alpha = 0 or to sigma = 0, have fewer terms. With churn the weak order is at most 2.

    Attributes:
        terms: values of D, 1 to 4.
        churn: 0 is the probability flow, 1 the reverse SDE.
    """

    terms: int = static(3)
    churn: float = 0.0

    def __post_init__(self) -> None:
        require_between("ExponentialMultistep.terms", self.terms, 1, 4)
        require_not_negative("ExponentialMultistep.churn", self.churn)

    @property
    def order(self) -> int:
        """``terms``, and with noise at most two."""
        return self.terms if self.churn == 0 else min(self.terms, 2)

    def check(self, n_steps: int) -> None:
        """Raise where there are more terms than steps."""
        require_terms("ExponentialMultistep.terms", self.terms, n_steps)

    def log_clock(self, sde: SDE, t: Array) -> Array:
        """That of the exact noise."""
        return log_clock(require_gaussian("ExponentialMultistep", sde), t, jnp.square(self.churn))

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
        denoiser = require_denoiser("ExponentialMultistep", model)
        sde, churn2, denoised = denoiser.sde, jnp.square(self.churn), denoiser(x, t, cond)
        drift = integral(sde, denoised, memory, t, s, churn2)
        mean = decay(sde, t, s, churn2) * x + drift
        x = mean + added(sde, t, s, churn2) * arrays.normal_like(key, x)
        return Step(x, mean, memory.push(denoised, *place(sde, t)))
