"""How uncertain x_0 is said to be once x_t is seen."""

from __future__ import annotations

from abc import ABC, abstractmethod

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.pytree import Pytree
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Time


class PriorVariance(Pytree, ABC):
    """r_t^2 of p(x_0 | x_t) ~ N(D, r_t^2 I)."""

    @abstractmethod
    def __call__(self, sde: GaussianSDE, t: Time) -> Array:
        """r_t^2, with the shape of t; finite where alpha = 0, and 0 only where sigma = 0."""


class DataVariance(PriorVariance):
    """std^2 sigma^2 / (alpha^2 std^2 + sigma^2): exact for data N(m, std^2 I).

    With std = 1 the rule of Song et al. 2023 for VE, sigma^2 / (1 + sigma^2), which for VP is sigma^2.
    """

    std: float = 1.0

    def __post_init__(self) -> None:
        if not self.std > 0:
            raise InputError("DataVariance.std", self.std, "a positive number, as the data's spread")

    def __call__(self, sde: GaussianSDE, t: Time) -> Array:
        """r_t^2."""
        variance, data = sde.variance(t), jnp.square(self.std)
        return data * variance / (jnp.square(sde.alpha(t)) * data + variance)
