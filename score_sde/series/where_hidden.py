"""A denoiser of the hidden values of a window, and its objective."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.arrays import expand, per_example
from score_sde.denoisers import Preconditioned
from score_sde.objectives import DenoisingScoreMatching, Objective
from score_sde.typing import Batch, Condition, Key, PerExample, Time


class WhereHidden(Preconditioned):
    """D of innovations (batch, length, 1) given ``cond``: what is told of the window (``told``).

    The network sees x where it is hidden, and the channels of ``cond``, beside one another, and its first
    channel is F; where a value is seen F = 0. With F = 0 everywhere and data of unit variance it is the
    normal law that the innovations are of.
    """

    def output(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """F where ``cond`` says that a value is hidden, 0 elsewhere."""
        _, _, c_in, c_noise = self.precondition(self.sde, per_example(t, x))
        hidden = cond[..., :1].astype(x.dtype)
        inputs = jnp.concatenate([expand(c_in, x) * x * hidden, cond.astype(x.dtype)], axis=-1)
        return self.network(inputs, c_noise, None, key=key)[..., :1] * hidden


class OfRows(Objective):
    """An objective on rows as ``windows.rows`` makes them: the first channel is x, the others are told.

    Attributes:
        objective: of innovations and what is told of them.
    """

    objective: Objective = DenoisingScoreMatching()

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """The loss of each row."""
        del cond
        return self.objective(key, model, x0[..., :1], x0[..., 1:])
