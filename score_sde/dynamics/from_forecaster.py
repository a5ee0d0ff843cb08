"""A forecast of the next state as something to simulate and to filter with."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde.dynamics.base import MarkovProcess
from score_sde.errors import InputError
from score_sde.typing import Batch, Key


class FromForecaster(MarkovProcess):
    """x_{k+1} ~ p(next | last) of a forecaster: a learnt model where filters expect the system.

    ``bootstrap_filter`` then draws trajectories given observations without knowing an equation of the
    system: as particles grow, from the posterior under the learnt law and the law of ``states``.

    Attributes:
        forecaster: any that is told one state; of several that follow, the first is taken.
        states: (n, *shape), among which trajectories begin, such as those that were learnt from.

    Raises:
        InputError: a forecaster that asks for more than one state of the past; no states.
    """

    forecaster: Any
    states: Batch

    def __post_init__(self) -> None:
        if self.forecaster.known != 1:
            where = f"FromForecaster.forecaster: {type(self.forecaster).__name__}.known"
            raise InputError(where, self.forecaster.known, "1, the last state", "learn p(next | last)")
        found = jnp.shape(self.states)
        if len(found) < 2 or not found[0]:
            raise InputError("FromForecaster.states.shape", found, "(n, *shape), n at least 1")

    @property
    def shape(self) -> tuple[int, ...]:
        """That of one of ``states``."""
        return jnp.shape(self.states)[1:]

    def start(self, key: Key, n: int) -> Batch:
        """``n`` of ``states``, no two the same where there are as many."""
        chosen = jax.random.choice(key, len(self.states), (n,), replace=n > len(self.states))
        return jnp.asarray(self.states)[chosen]

    def step(self, key: Key, x: Batch) -> Batch:
        """The forecast of each."""
        return self.forecaster(key, x[:, None])[:, 0]
