"""What a predictor, a corrector, a grid and a final step are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp

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
    """Takes x from time t to time s < t.

    All randomness is drawn by ``arrays.normal_like(key, x)``, called once a step, so that noise recorded
    elsewhere can be put in its place.
    """

    @property
    def order(self) -> int:
        """Nominal order of convergence on smooth coefficients; the weak order if the step is random."""
        return 1

    @property
    def evaluations(self) -> int:
        """Model evaluations of one step."""
        return 1

    def check(self, n_steps: int) -> None:
        """Raise InputError unless this predictor can serve a sampler of ``n_steps`` steps."""
        del n_steps

    def log_clock(self, sde: SDE, t: Array) -> Array:
        """log q(t): the noise of a step from t to s is that of a Brownian motion between q(t) and q(s).

        Its size aside, which the step has. By default q is the time itself, as for Euler-Maruyama.
        """
        del sde
        return jnp.log(t)

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


class Noise(Pytree, ABC):
    """Where the noise of a sampler's predictor comes from."""

    @abstractmethod
    def __call__(
        self, step_key: Key, path_key: Key, predictor: Predictor, sde: SDE, t: Array, s: Array
    ) -> Any:
        """What the step from t to s is given as its key.

        ``step_key`` is another one in each step, ``path_key`` the same in all, whatever their number.
        """


class Corrector(Pytree, ABC):
    """Moves x within time t, towards p_t."""

    @property
    def evaluations(self) -> int:
        """Model evaluations of one step."""
        return 1

    def check(self, n_steps: int) -> None:
        """Raise InputError unless this corrector can serve a sampler of ``n_steps`` steps."""
        del n_steps

    @abstractmethod
    def step(self, key: Key, model: ScoreModel, x: Batch, t: Array, cond: Condition = None) -> Batch:
        """One step at the scalar time ``t``; where p_t has no score (sigma(t) = 0), x stays."""


class Grid(Pytree, ABC):
    """The times that a sampler visits."""

    @abstractmethod
    def __call__(self, sde: SDE, n_steps: int, start: Array | float | None = None) -> Array:
        """n_steps + 1 strictly decreasing times from ``start`` (default: T) to the smallest time."""


class Sampling(Pytree, ABC):
    """Anything that draws samples from a model, or continues from a state that it is given."""

    @abstractmethod
    def __call__(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> Batch:
        """Samples of shape ``shape`` = (batch, *event) in model space; ``x`` at ``t`` is where to begin."""

    @abstractmethod
    def trajectory(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> tuple[Array, Batch]:
        """Times (n,) and states (n, batch, *event) on the way, the last being the sample."""


class Order(Pytree, ABC):
    """How predictor and corrector share the interval from t to s."""

    @abstractmethod
    def __call__(
        self,
        predict: Callable[[Batch], Step],
        correct: Callable[[Batch, Array], Batch],
        x: Batch,
        t: Array,
        s: Array,
    ) -> Step:
        """One step of the sampler: ``predict`` goes from t to s, ``correct`` stays at its time."""


class Final(Pytree, ABC):
    """What is done with the last state, the last predictor mean and the last time."""

    @property
    def evaluations(self) -> int:
        """Model evaluations."""
        return 0

    @abstractmethod
    def __call__(
        self, key: Key, model: ScoreModel, x: Batch, mean: Batch, t: Array, cond: Condition = None
    ) -> Batch:
        """The sample that is returned."""
