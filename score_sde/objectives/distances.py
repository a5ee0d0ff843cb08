"""How far the values of two consistency functions are apart."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde import arrays
from score_sde.objectives.base import Distance
from score_sde.pytree import static
from score_sde.sdes.checks import require_positive
from score_sde.typing import Batch, PerExample


class SquaredDistance(Distance):
    """Mean of the squared differences (Song et al. 2023, l2)."""

    def __call__(self, x: Batch, y: Batch) -> PerExample:
        """Of each example."""
        return arrays.mean_per_example(jnp.square(x - y))


class PseudoHuber(Distance):
    """sqrt(|x - y|^2 + c^2) - c (Song and Dhariwal 2023, eq. 8): less of outliers than squares have.

    Attributes:
        scale: c over the root of the number of dimensions; the paper's is 0.00054.
    """

    scale: float = static(0.00054)

    def __post_init__(self) -> None:
        require_positive("PseudoHuber.scale", self.scale)

    def __call__(self, x: Batch, y: Batch) -> PerExample:
        """Of each example."""
        c2 = self.scale**2 * x[0].size
        # |d|^2 / (sqrt(|d|^2 + c^2) + c): the same without the difference of two near numbers.
        squares = arrays.sum_per_example(jnp.square(x - y))
        return squares / (jnp.sqrt(squares + c2) + c2**0.5)
