"""What consistency training and distillation have in common."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.arrays import expand
from score_sde.objectives.base import AdjacentTimes, Distance, Loss, Objective, Pair
from score_sde.pytree import Pytree, static
from score_sde.typing import Array, Batch, Condition, Key, PerExample


def equal_weights(pair: Pair) -> Array:
    """1 (Song et al. 2023)."""
    return jnp.ones_like(pair.gap)


def inverse_gaps(pair: Pair) -> Array:
    """1 over the step of sigma / alpha (Song and Dhariwal 2023, section 3.1)."""
    return 1 / pair.gap


class Target(Pytree, ABC):
    """Whose value at the earlier time is learnt from."""

    @abstractmethod
    def __call__(self, model: Any, average: Any) -> Any:
        """One of the model that is trained and its average."""


class AveragedTarget(Target):
    """The run's average (Song et al. 2023, algorithms 2 and 3); its decay is ``ema``'s."""

    def __call__(self, model: Any, average: Any) -> Any:
        """The average."""
        del model
        return average


class OwnTarget(Target):
    """The model itself, through which no gradient goes (Song and Dhariwal 2023, section 3.2)."""

    def __call__(self, model: Any, average: Any) -> Any:
        """The model."""
        del average
        return model


class Consistency(Objective):
    """E weight(t, s) distance(f(x_t, t), target f(x_s, s)) at neighbouring times s < t of one path.

    The model's D is f: the beginning of the flow's path through x_t, with the boundary condition of
    ``denoisers.ConsistencyPrecondition``. Both get the same dropout. Called outside of training, the grid is
    the last one and the target is the model itself.

    Attributes:
        times: the law of neighbours.
        distance: of the two values.
        target_model: whose value at s is learnt from.
        weight: of a pair.
    """

    times: AdjacentTimes
    distance: Distance
    target_model: Target = AveragedTarget()
    weight: Callable[[Pair], Array] = static(equal_weights)

    @abstractmethod
    def earlier(self, x: Batch, pair: Pair, x0: Batch, z: Batch, sde: Any, cond: Condition) -> Batch:
        """The state at s on the path through x = alpha x_0 + sigma z at t."""

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example at one random pair of times with one draw of noise."""
        return self._loss(key, model, x0, cond, average=model, count=None)

    def at_update(self, count: Array, average: Any) -> Loss:
        """The loss with the grid of this update and the average as it is."""
        return functools.partial(self._loss, average=average, count=count)

    def _loss(
        self, key: Key, model: Any, x0: Batch, cond: Condition, *, average: Any, count: Array | None
    ) -> PerExample:
        time_key, noise_key, model_key = jax.random.split(key, 3)
        pair = self.times(time_key, model.sde, x0.shape[0], count)
        pair = Pair(*(part.astype(x0.dtype) for part in pair))
        z = arrays.normal_like(noise_key, x0)
        return self.at(model, x0, pair, z, cond, target=self.target_model(model, average), key=model_key)

    def at(
        self,
        model: Any,
        x0: Batch,
        pair: Pair,
        z: Batch,
        cond: Condition = None,
        *,
        target: Any,
        key: Key | None = None,
    ) -> PerExample:
        """Loss of each example at given times and noise, for a model that follows ``target``."""
        sde = model.sde
        x = expand(sde.alpha(pair.t), x0) * x0 + expand(sde.sigma(pair.t), x0) * z
        there = jax.lax.stop_gradient(self.earlier(x, pair, x0, z, sde, cond))
        wanted = jax.lax.stop_gradient(target(there, pair.s, cond, key=key))
        return self.weight(pair) * self.distance(model(x, pair.t, cond, key=key), wanted)
