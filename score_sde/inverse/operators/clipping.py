"""A sensor that saturates."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.inverse.base import Operator
from score_sde.inverse.operators.checks import require_range, require_shape
from score_sde.typing import Batch


class Clipping(Operator):
    """y = min(max(x, low), high). Derivatives are zero where it saturates.

    Attributes:
        low: what is darker looks like this.
        high: what is brighter looks like this.
    """

    low: float = -0.5
    high: float = 0.5

    def __post_init__(self) -> None:
        require_shape("Clipping", self.shape)
        require_range("Clipping", self.low, self.high)

    def __call__(self, x: Batch) -> Batch:
        """X within the range."""
        return jnp.clip(x, self.low, self.high)
