"""Objectives of some channels, given the others."""

from __future__ import annotations

from typing import Any

from score_sde.objectives.base import Objective
from score_sde.pytree import static
from score_sde.typing import Batch, Condition, Key, PerExample


class GivenChannels(Objective):
    """An objective of the first ``channels`` of x_0, the rest being what is beside: p(first | rest).

    For models of ``networks.Beside``. Examples are (batch, *space, channels + those beside).

    Attributes:
        objective: of the first channels.
        channels: how many they are.
    """

    objective: Objective
    channels: int = static(1)

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example."""
        told = {"beside": x0[..., self.channels :], **(cond or {})}
        return self.objective(key, model, x0[..., : self.channels], told)
