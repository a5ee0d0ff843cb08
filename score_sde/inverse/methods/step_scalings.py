"""How long a step down the squared residual is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import jax.numpy as jnp

from score_sde.pytree import Pytree
from score_sde.typing import PerExample


class StepScaling(Pytree, ABC):
    """What multiplies step_size times the gradient of |y - A(D)|^2."""

    @abstractmethod
    def __call__(self, square: PerExample) -> PerExample:
        """A factor for each example, given its squared residual."""


class OverNorm(StepScaling):
    """1 / |y - A(D)|: a length that does not depend on how far off D is (Chung et al. 2023, section D.1)."""

    def __call__(self, square: PerExample) -> PerExample:
        """1 / norm; 0 where the residual is."""
        return jnp.where(square > 0, 1 / jnp.sqrt(jnp.where(square > 0, square, 1)), 0)


class Unscaled(StepScaling):
    """1: plain gradient descent, which diverges where step_size is too long for the operator."""

    def __call__(self, square: PerExample) -> PerExample:
        """One."""
        return jnp.ones_like(square)
