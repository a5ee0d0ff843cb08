"""Few grey levels."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.inverse.base import Operator
from score_sde.inverse.operators.checks import require_range, require_shape
from score_sde.inverse.operators.rounding import straight_round
from score_sde.pytree import static
from score_sde.typing import Batch


class Quantization(Operator):
    """The nearest of ``levels`` values from ``low`` to ``high``, both among them and equally spaced.

    The derivative is that of the clipping to [low, high]: rounding is taken as the identity
    (straight-through).

    Attributes:
        levels: 2 or more.
        low: the darkest level.
        high: the brightest.
    """

    levels: int = static(4)
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        require_shape("Quantization", self.shape)
        require_range("Quantization", self.low, self.high)
        if not isinstance(self.levels, int) or isinstance(self.levels, bool) or self.levels < 2:
            raise InputError("Quantization.levels", self.levels, "a whole number, 2 or more")

    def __call__(self, x: Batch) -> Batch:
        """The levels."""
        scale = (self.levels - 1) / (self.high - self.low)
        return self.low + straight_round(scale * (jnp.clip(x, self.low, self.high) - self.low)) / scale
