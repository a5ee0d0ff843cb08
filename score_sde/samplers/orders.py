"""Which of predictor and corrector goes first."""

from __future__ import annotations

from collections.abc import Callable

from score_sde.samplers.base import Order, Step
from score_sde.typing import Array, Batch


class CorrectorFirst(Order):
    """Correct at t, then predict s: the original code's order."""

    def __call__(
        self,
        predict: Callable[[Batch], Step],
        correct: Callable[[Batch, Array], Batch],
        x: Batch,
        t: Array,
        s: Array,
    ) -> Step:
        """One step."""
        del s
        return predict(correct(x, t))


class PredictorFirst(Order):
    """Predict s, then correct there: Algorithm 1 of Song et al. 2021.

    The step's mean stays the predictor's, so that a sampler that keeps the mean at the end drops the
    last correction.
    """

    def __call__(
        self,
        predict: Callable[[Batch], Step],
        correct: Callable[[Batch, Array], Batch],
        x: Batch,
        t: Array,
        s: Array,
    ) -> Step:
        """One step."""
        del t
        step = predict(x)
        return step._replace(x=correct(step.x, s))
