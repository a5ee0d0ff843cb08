"""What a predictor, a corrector, a grid and a final step are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import Pytree
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Condition, Key


class Step(NamedTuple):
    """Result of a predictor step: the new state, the same without its noise, and what it remembers."""

    x: Batch
    mean: Batch
    memory: Any


class Predictor(Pytree, ABC):
    """Takes x from time t to time s < t."""

    def init(self, model: ScoreModel, x: Batch, t: Array) -> Any:
        """Memory before the first step, a pytree of fixed structure; none by default."""
        del model, x, t
        return ()

    @abstractmethod
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
        """One step from the scalar time ``t`` to the scalar time ``s`` < ``t``."""


class Corrector(Pytree, ABC):
    """Moves x within time t, towards p_t."""

    @abstractmethod
    def step(self, key: Key, model: ScoreModel, x: Batch, t: Array, cond: Condition = None) -> Batch:
        """One step at the scalar time ``t``; where p_t has no score (sigma(t) = 0), x stays."""


class Grid(Pytree, ABC):
    """The times that a sampler visits."""

    @abstractmethod
    def __call__(self, sde: SDE, n_steps: int, start: Array | float | None = None) -> Array:
        """n_steps + 1 strictly decreasing times from ``start`` (default: T) to the smallest time."""


class Final(Pytree, ABC):
    """What is done with the last state, the last predictor mean and the last time."""

    @abstractmethod
    def __call__(
        self, key: Key, model: ScoreModel, x: Batch, mean: Batch, t: Array, cond: Condition = None
    ) -> Batch:
        """The sample that is returned."""
