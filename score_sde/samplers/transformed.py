"""Sampling from a model that is changed first: clipped, guided."""

from __future__ import annotations

from collections.abc import Callable

from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Sampling
from score_sde.typing import Array, Batch, Condition, Key


class Transformed(Sampling):
    """Draws from change(model) as ``sampler`` does; training and evaluation keep the model as it is.

    ``call(Transformed, change=bind(Clipped.of), sampler=...)`` samples as DDPM's and ADM's code do, which
    cut the estimate of the data to its range at every step.

    Attributes:
        change: from model to model.
        sampler: what draws.
    """

    change: Callable[..., ScoreModel] = static()
    sampler: Sampling

    def __call__(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> Batch:
        """Samples of shape ``shape`` in model space."""
        return self.sampler(key, self.change(model), shape, cond, x, t)

    def trajectory(
        self,
        key: Key,
        model: ScoreModel,
        shape: tuple[int, ...],
        cond: Condition = None,
        x: Batch | None = None,
        t: Array | float | None = None,
    ) -> tuple[Array, Batch]:
        """Times and states on the way, the last being the sample."""
        return self.sampler.trajectory(key, self.change(model), shape, cond, x, t)
