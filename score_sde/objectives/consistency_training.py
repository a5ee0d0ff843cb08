"""Consistency training: one-step models from data alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from score_sde.arrays import expand
from score_sde.objectives.adjacent_times import (
    DoublingIntervals,
    KarrasPairs,
    LogNormalCells,
    SquareRootIntervals,
)
from score_sde.objectives.base import AdjacentTimes, Distance, Pair
from score_sde.objectives.consistency import Consistency, OwnTarget, Target, inverse_gaps
from score_sde.objectives.distances import PseudoHuber, SquaredDistance
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Condition


class ConsistencyTraining(Consistency):
    """E distance(f(alpha_t x_0 + sigma_t z, t), average f(alpha_s x_0 + sigma_s z, s)), the same z in both.

    Algorithm 3 of Song et al. 2023 (CT). As the steps shrink, its gradient becomes that of distillation from
    the exact score, which one draw of (x_0, z) estimates without bias (theorem 2).
    """

    times: AdjacentTimes = KarrasPairs(intervals=SquareRootIntervals())
    distance: Distance = SquaredDistance()

    def earlier(self, x: Batch, pair: Pair, x0: Batch, z: Batch, sde: Any, cond: Condition) -> Batch:
        """alpha_s x_0 + sigma_s z."""
        del x, cond
        return expand(sde.alpha(pair.s), x0) * x0 + expand(sde.sigma(pair.s), x0) * z


class ImprovedConsistencyTraining(ConsistencyTraining):
    """The same with the choices of Song and Dhariwal 2023 (iCT).

    No average in the target, the pseudo-Huber distance, times by a log-normal law, weights 1 / gap, and
    intervals that double from 10 to 1280. Set ``intervals.updates`` to the length of the run.
    """

    times: AdjacentTimes = KarrasPairs(intervals=DoublingIntervals(), cells=LogNormalCells())
    distance: Distance = PseudoHuber()
    target_model: Target = OwnTarget()
    weight: Callable[[Pair], Array] = static(inverse_gaps)
