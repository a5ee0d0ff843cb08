"""What a training objective is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from score_sde.pytree import Pytree
from score_sde.typing import Batch, Condition, Key, PerExample


class Objective(Pytree, ABC):
    """A loss per example whose minimiser over models is the true score."""

    @abstractmethod
    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example of the clean batch ``x0``; random times and noise come from ``key``."""
