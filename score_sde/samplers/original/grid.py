"""The original code's times."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.samplers.base import Grid
from score_sde.samplers.checks import floating, require_positive
from score_sde.sdes.base import SDE
from score_sde.typing import Array


class OriginalGrid(Grid):
    """The original's N start times linspace(T, eps, N), and then 0.

    Its steps, N of them, do not look at the time they end at. Use it with predictors of this folder, and
    keep the sample or the mean at the end.

    Attributes:
        eps: the last time from which a step is taken; 1e-3 for VP and sub-VP, 1e-5 for VE.
    """

    eps: float = 1e-3

    def __post_init__(self) -> None:
        require_positive("OriginalGrid.eps", self.eps)

    def __call__(self, sde: SDE, n_steps: int, start: Array | float | None = None) -> Array:
        """The times."""
        first = floating(sde.T if start is None else start)
        return jnp.append(jnp.linspace(first, self.eps, n_steps), 0)
