"""Consistency distillation: one-step models from a trained one."""

from __future__ import annotations

from typing import Any

import jax

from score_sde.integrators.methods import Heun, Method
from score_sde.objectives.adjacent_times import KarrasPairs
from score_sde.objectives.base import AdjacentTimes, Distance, Pair
from score_sde.objectives.consistency import Consistency
from score_sde.objectives.distances import SquaredDistance
from score_sde.typing import Array, Batch, Condition


class ConsistencyDistillation(Consistency):
    """E distance(f(x_t, t), average f(x_s, s)), where the teacher's flow takes x_t to x_s in one step.

    Algorithm 2 of Song et al. 2023 (CD). The paper's step is one of Heun's method in sigma; here it is in
    t, which is the same for ``sdes.EDM``.

    Attributes:
        teacher: a model of the same SDE; its velocity must be finite at T.
        method: of the step.
    """

    teacher: Any
    times: AdjacentTimes = KarrasPairs()
    distance: Distance = SquaredDistance()
    method: Method = Heun()

    def earlier(self, x: Batch, pair: Pair, x0: Batch, z: Batch, sde: Any, cond: Condition) -> Batch:
        """One step from t to s, each example with its own times."""
        del x0, z, sde

        def one(x: Array, t: Array, s: Array, cond: Condition) -> Array:
            told = jax.tree.map(lambda leaf: leaf[None], cond)

            def slope(t: Array, x: Array) -> Array:
                return self.teacher.velocity(x, t, told)

            return self.method.step(slope, t, s - t, x[None])[0]

        return jax.vmap(one)(x, pair.t, pair.s, cond)
