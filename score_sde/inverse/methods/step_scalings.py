"""How long a step down the squared residual is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.pytree import Pytree
from score_sde.typing import PerExample


class StepScaling(Pytree, ABC):
    """What multiplies step_size times the gradient of |y - A(D)|^2."""

    @abstractmethod
    def __call__(self, square: PerExample) -> PerExample:
        """A factor for each example, given its squared residual."""


class OverNorm(StepScaling):
    """1 / max(|y - A(D)|, least): steps whose length does not depend on how far off D is.

    Chung et al. 2023 (section D.1) take ``least`` = 0, for images, whose residuals are long because they have
    many values. It makes all steps equally long to the end, so that few values are overshot by ever the same.
    With ``least`` = 2 and |A| <= 1 a step of step_size 1 goes no further than to agreement with y.

    Attributes:
        least: in the units of y.
    """

    least: float = 2.0

    def __post_init__(self) -> None:
        if not self.least >= 0:
            raise InputError("OverNorm.least", self.least, "a number not below 0, in the units of y")

    def __call__(self, square: PerExample) -> PerExample:
        """1 / norm; 0 where that is 0."""
        norm = jnp.maximum(jnp.sqrt(jnp.where(square > 0, square, 0)), self.least)
        return jnp.where(norm > 0, 1 / jnp.where(norm > 0, norm, 1), 0)


class Unscaled(StepScaling):
    """1: plain gradient descent, which diverges where step_size is too long for the operator."""

    def __call__(self, square: PerExample) -> PerExample:
        """One."""
        return jnp.ones_like(square)
