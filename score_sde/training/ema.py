"""Exponential moving averages of the parameters, which are what models are evaluated with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.pytree import Pytree
from score_sde.typing import Array

Params = Any


class EMA(Pytree, ABC):
    """average <- decay average + (1 - decay) params after every update."""

    @abstractmethod
    def decay_at(self, count: Array) -> Array | float:
        """The decay of the ``count``-th update (the first is 1)."""

    def init(self, params: Params) -> Any:
        """The average before the first update: the initial parameters."""
        return params

    def update(self, count: Array, average: Any, params: Params) -> Any:
        """The average after the ``count``-th update gave ``params``."""
        decay = self.decay_at(count)
        return jax.tree.map(lambda a, p: (a + (1 - decay) * (p - a)).astype(a.dtype), average, params)

    def parameters(self, average: Any, params: Params) -> Params:
        """The parameters to evaluate with."""
        return average


class ConstantEMA(EMA):
    """The same decay throughout (Song et al. 2021, appendix C: 0.999 for VE, 0.9999 for VP)."""

    decay: float = 0.9999

    def __post_init__(self) -> None:
        _check_decay(self.decay)

    def decay_at(self, count: Array) -> Array | float:
        """``decay``."""
        return self.decay


class WarmupEMA(EMA):
    """min(decay, (1 + count) / (10 + count)): follows closely while training is young."""

    decay: float = 0.9999

    def __post_init__(self) -> None:
        _check_decay(self.decay)

    def decay_at(self, count: Array) -> Array | float:
        """min(decay, (1 + count) / (10 + count))."""
        return jnp.minimum(self.decay, (1.0 + count) / (10.0 + count))


class HalfLifeEMA(EMA):
    """decay = 2^(-1 / min(half_life, ramp_up n)) after n earlier updates (Karras et al. 2022, appendix F.2).

    ``half_life`` counts updates: the paper's number of images over the batch size. The first update
    forgets the initial parameters.
    """

    half_life: float = 1000.0
    ramp_up: float = 0.05

    def __post_init__(self) -> None:
        for name in ("half_life", "ramp_up"):
            if not getattr(self, name) > 0:
                raise InputError(f"ema.{name}", getattr(self, name), "a positive number")

    def decay_at(self, count: Array) -> Array | float:
        """2^(-1 / min(half_life, ramp_up (count - 1))), which is 0 at the first update."""
        return 0.5 ** (1 / jnp.minimum(self.half_life, self.ramp_up * (count - 1.0)))


class NoEMA(EMA):
    """No average is kept; evaluation uses the parameters themselves."""

    def decay_at(self, count: Array) -> Array | float:
        """0: nothing of the past."""
        return 0.0

    def init(self, params: Params) -> Any:
        """Nothing."""
        return {}

    def update(self, count: Array, average: Any, params: Params) -> Any:
        """Nothing."""
        return average

    def parameters(self, average: Any, params: Params) -> Params:
        """The parameters."""
        return params


def _check_decay(decay: float) -> None:
    if not 0 <= decay < 1:
        raise InputError("ema.decay", decay, "a number in [0, 1)", "0.999 and 0.9999 are usual")
