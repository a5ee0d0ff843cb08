"""The stochastic Adams solver."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import Denoiser, ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import (
    require_between,
    require_denoiser,
    require_gaussian,
    require_not_negative,
    require_terms,
)
from score_sde.samplers.exponential import (
    Past,
    Predicted,
    added,
    closed_integral,
    decay,
    integral,
    log_clock,
    place,
)
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Condition, Key


class SASolver(Predictor):
    """Adams-Bashforth, then Adams-Moulton once D is known at the end of the step (Xue et al. 2023).

    Each step predicts as ``ExponentialMultistep`` does; the next evaluates D there, and first moves x by the
    integral with this D less the one that was taken. The noise of the step stays, and there is one evaluation
    a step. The last step is not corrected.

    Attributes:
        terms: values of D that predict, 1 to 4.
        corrector_terms: values, besides the newest, that correct, 0 (nothing is corrected) to 4.
        churn: tau; 0 is the probability flow, 1 the reverse SDE.
    """

    terms: int = static(2)
    corrector_terms: int = static(2)
    churn: float = 1.0

    def __post_init__(self) -> None:
        require_between("SASolver.terms", self.terms, 1, 4)
        require_between("SASolver.corrector_terms", self.corrector_terms, 0, 4)
        require_not_negative("SASolver.churn", self.churn)

    @property
    def order(self) -> int:
        """One more than ``terms``, as far as the corrector reaches; with noise at most two."""
        order = max(self.terms, min(self.terms, self.corrector_terms) + 1)
        return order if self.churn == 0 else min(order, 2)

    def check(self, n_steps: int) -> None:
        """Raise where there are more terms than steps."""
        require_terms("SASolver.terms", max(self.terms, self.corrector_terms), n_steps)

    def log_clock(self, sde: SDE, t: Array) -> Array:
        """That of the exact noise."""
        return log_clock(require_gaussian("SASolver", sde), t, jnp.square(self.churn))

    def init(self, model: ScoreModel, x: Batch, t: Array) -> Predicted:
        """Nothing is predicted."""
        del model
        length = max(self.terms - 1, self.corrector_terms)
        return Predicted(Past.empty(x, t, length), jnp.zeros_like(x), t)

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
        denoiser = require_denoiser("SASolver", model)
        sde, churn2, denoised = denoiser.sde, jnp.square(self.churn), denoiser(x, t, cond)
        x = x + self._correction(denoiser, denoised, memory, t)
        drift = integral(sde, denoised, memory.past.latest(self.terms - 1), t, s, churn2)
        mean = decay(sde, t, s, churn2) * x + drift
        x = mean + added(sde, t, s, churn2) * arrays.normal_like(key, x)
        return Step(x, mean, Predicted(memory.past.push(denoised, *place(sde, t)), drift, t))

    def _correction(self, denoiser: Denoiser, denoised: Batch, memory: Predicted, t: Array) -> Batch:
        if self.corrector_terms == 0:
            return jnp.zeros_like(denoised)
        past, began = memory.past.latest(self.corrector_terms), memory.t
        known = past.known > 0
        safe = jnp.where(known, began, denoiser.sde.T).astype(t.dtype)  # the first step has no time before it
        again = closed_integral(denoiser.sde, denoised, past, safe, t, jnp.square(self.churn))
        return jnp.where(known, again - memory.drift, 0)
