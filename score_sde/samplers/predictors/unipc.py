"""The unified predictor-corrector."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import Pytree, static
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_between, require_denoiser, require_terms
from score_sde.samplers.exponential import (
    Interval,
    Past,
    Predicted,
    closed_integral,
    decay,
    gain,
    integral,
    place,
)
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key


class StepSize(Pytree):
    """B(h), what one half of a difference is multiplied by where the paper fixes the coefficient."""

    @abstractmethod
    def __call__(self, width: Array) -> Array:
        """B(h), h + O(h^2)."""


class B1(StepSize):
    """h."""

    def __call__(self, width: Array) -> Array:
        """H itself."""
        return width


class B2(StepSize):
    """1 - e^{-h}."""

    def __call__(self, width: Array) -> Array:
        """1 - e^{-h}."""
        return -jnp.expm1(-width)


class UniPC(Predictor):
    """UniP, corrected by UniC once D is known at the end of the step (Zhao et al. 2023, data prediction).

    Both are exponential Adams methods, but that 1/2 and B(h) take the place of two of their weights: of the
    predictor with two values, and of the first corrector. There is one evaluation a step. The last step is
    not corrected; the first has one term.

    Attributes:
        terms: values of D that predict, 1 to 3; the corrector has one more.
        size: ``B1()`` or ``B2()``.
    """

    terms: int = static(2)
    size: StepSize = B2()

    def __post_init__(self) -> None:
        require_between("UniPC.terms", self.terms, 1, 3)

    @property
    def order(self) -> int:
        """One more than ``terms``."""
        return self.terms + 1

    def check(self, n_steps: int) -> None:
        """Raise where there are more terms than steps."""
        require_terms("UniPC.terms", self.terms, n_steps)

    def init(self, model: ScoreModel, x: Batch, t: Array) -> Predicted:
        """Nothing is predicted."""
        del model
        return Predicted(Past.empty(x, t, self.terms), jnp.zeros_like(x), t)

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
        denoiser = require_denoiser("UniPC", model)
        sde, denoised = denoiser.sde, denoiser(x, t, cond)
        x = x + self._correction(sde, denoised, memory, t)
        drift = self._prediction(sde, denoised, memory.past.latest(self.terms - 1), t, s)
        mean = decay(sde, t, s) * x + drift
        return Step(mean, mean, Predicted(memory.past.push(denoised, *place(sde, t)), drift, t))

    def _prediction(self, sde: GaussianSDE, denoised: Batch, past: Past, t: Array, s: Array) -> Batch:
        drift = integral(sde, denoised, past, t, s)
        if self.terms == 1:
            return drift
        interval = Interval.of(sde, t, s)
        two = interval.finite & (past.known == 1)
        before = jnp.where(two, (interval.at - past.at[0]) / interval.width, 1.0)
        slope = (denoised - past.values[0]) / before
        halved = gain(sde, t, s) * denoised + 0.5 * sde.alpha(s) * self.size(interval.width) * slope
        return jnp.where(two, halved, drift)

    def _correction(self, sde: GaussianSDE, denoised: Batch, memory: Predicted, t: Array) -> Batch:
        past, known = memory.past, memory.past.known > 0
        began = jnp.where(known, memory.t, sde.T).astype(t.dtype)  # the first step has no time before it
        drift = closed_integral(sde, denoised, past, began, t)
        interval = Interval.of(sde, began, t)
        change = 0.5 * sde.alpha(t) * self.size(interval.width) * (denoised - past.values[0])
        first = gain(sde, began, t) * past.values[0] + change
        drift = jnp.where(interval.finite & (past.known == 1), first, drift)
        return jnp.where(known, drift - memory.drift, 0)
