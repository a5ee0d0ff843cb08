"""Forecasts: draws of what follows, again and again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.inverse.base import Measurement
from score_sde.inverse.noises import GaussianNoise
from score_sde.inverse.operators import Mask
from score_sde.networks.frames import as_channels
from score_sde.pytree import Pytree, static
from score_sde.samplers.base import Sampling
from score_sde.typing import Array, Batch, Key


class Forecaster(Pytree, ABC):
    """p(next | past) as something that draws from it.

    Attributes:
        known: states of the past that it is told, at least 1.
    """

    known: int = static(1)

    def __post_init__(self) -> None:
        if self.known < 1:
            raise InputError(f"{type(self).__name__}.known", self.known, "at least one state of the past")

    @abstractmethod
    def __call__(self, key: Key, past: Batch) -> Batch:
        """What follows ``past`` (batch, known, *state): (batch, one or more, *state)."""

    def rollout(self, key: Key, past: Batch, length: int) -> Batch:
        """``length`` states after ``past`` (batch, known or more, *state), each told of those drawn before.

        Raises:
            InputError: fewer states of the past than ``known``; no length.
        """
        if past.shape[1] < self.known:
            raise InputError("states of the past", past.shape[1], f"at least {self.known}", "give more")
        if length < 1:
            raise InputError("rollout length", length, "at least 1", "raise it")
        return _rollout(self, key, past[:, past.shape[1] - self.known :], length)


@jax.jit(static_argnames="length")
def _rollout(forecaster: Forecaster, key: Key, past: Batch, length: int) -> Batch:
    new = jax.eval_shape(forecaster, key, past).shape[1]

    def go_on(past: Batch, key: Key) -> tuple[Batch, Batch]:
        following = forecaster(key, past)
        return jnp.concatenate([past, following], axis=1)[:, new:], following

    _, parts = jax.lax.scan(go_on, past, jax.random.split(key, -(-length // new)))
    joined = jnp.moveaxis(parts, 0, 1).reshape(len(past), -1, *past.shape[2:])
    return joined[:, :length]


class FromSystem(Forecaster):
    """The system itself: the forecasts that nobody can beat.

    Attributes:
        system: that is forecast, in the units of the states.
    """

    system: Any

    def __call__(self, key: Key, past: Batch) -> Batch:
        """One state."""
        return self.system.step(key, past[:, -1])[:, None]


class FromPast(Forecaster):
    """A model of the next state's change, told of the past beside it (``networks.Beside``).

    next = last + scale d, with d drawn by the sampler: changes are smaller than states, and have a scale of
    their own. The law is exact where model and sampler are.

    Attributes:
        model: of d (*state), told of ``known`` states as channels, the oldest first.
        sampler: what draws.
        scale: of d: a number, or an array that goes with a state's last axes.
    """

    model: Any
    sampler: Sampling
    scale: Any = 1.0

    def __call__(self, key: Key, past: Batch) -> Batch:
        """One state."""
        last = past[:, -1]
        change = self.sampler(key, self.model, last.shape, {"beside": as_channels(past)})
        return (last + self.scale * change)[:, None]


class Inpainted(Forecaster):
    """The rest of a window whose first states are known, by a method for inverse problems.

    Nothing is trained for it. It is as good as the method: for normal laws exact, but for the sampler's
    steps, with ``MMPS`` of as many iterations as ``known`` states have values. With a learnt model that may
    diverge; ``GaussianScore`` and a sampler with Langevin steps held where it did.

    Attributes:
        model: of windows.
        method: as ``MMPS(sampler=...)``.
        window: (length, *state), of which ``known`` are known.
        std: of the noise that known states are said to have; small, not 0.
    """

    model: Any
    method: Any
    window: tuple[int, ...] = static()
    std: float = static(1e-2)

    def __call__(self, key: Key, past: Batch) -> Batch:
        """The states of a window after those that are known."""
        seen = np.zeros(self.window, bool)
        seen[: self.known] = True
        y: Array = past.reshape(len(past), -1)
        noise = GaussianNoise(std=self.std)
        measurement = Measurement(y=y, operator=Mask(mask=seen), noise=noise)
        return self.method(key, self.model, measurement, (len(past), *self.window))[:, self.known :]
