"""Learning-rate schedules as factors of the peak rate."""

from __future__ import annotations

from abc import ABC, abstractmethod

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.pytree import Pytree, static
from score_sde.typing import Array


class Schedule(Pytree, ABC):
    """The factor of the learning rate after ``count`` updates, 1 at its largest."""

    @abstractmethod
    def __call__(self, count: Array) -> Array:
        """Factor in [0, 1] for the update that follows ``count`` earlier ones."""


class Constant(Schedule):
    """1 throughout."""

    def __call__(self, count: Array) -> Array:
        """1."""
        return jnp.ones_like(count, dtype=float)


class Cosine(Schedule):
    """final + (1 - final) (1 + cos(pi count / steps)) / 2, then ``final`` (Loshchilov and Hutter 2017)."""

    steps: int = static()
    final: float = 0.0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError("schedule.steps", self.steps, "a positive count of updates")
        if not 0 <= self.final <= 1:
            raise InputError("schedule.final", self.final, "a factor in [0, 1]")

    def __call__(self, count: Array) -> Array:
        """Half a cosine from 1 down to ``final``."""
        turn = jnp.pi * jnp.minimum(count / self.steps, 1.0)
        return self.final + (1 - self.final) * 0.5 * (1 + jnp.cos(turn))


class Linear(Schedule):
    """1 - count / steps, then 0: the classifiers of Dhariwal and Nichol 2021 (their code's ``anneal_lr``)."""

    steps: int = static()

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError("schedule.steps", self.steps, "a positive count of updates")

    def __call__(self, count: Array) -> Array:
        """A straight line from 1 down to 0."""
        return jnp.maximum(1 - count / self.steps, 0.0)


class InverseSqrt(Schedule):
    """1 / sqrt(max(count / reference, 1)) (Karras et al. 2024, eq. 67 without its warm-up)."""

    reference: float

    def __post_init__(self) -> None:
        if not self.reference > 0:
            raise InputError("schedule.reference", self.reference, "a positive count of updates")

    def __call__(self, count: Array) -> Array:
        """Constant up to ``reference`` updates, then falling like 1 / sqrt."""
        return 1 / jnp.sqrt(jnp.maximum(count / self.reference, 1.0))
