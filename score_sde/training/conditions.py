"""What of a batch the network is told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from score_sde.errors import InputError
from score_sde.pytree import Pytree


class Condition(Pytree, ABC):
    """From a batch (``x`` and whatever else the data has) to the network's ``cond``."""

    @abstractmethod
    def __call__(self, batch: Mapping[str, Any]) -> Any:
        """The condition, a pytree whose leaves have a leading batch axis, or None."""


class Unconditional(Condition):
    """Nothing: the model learns p(x), whatever labels the data may have."""

    def __call__(self, batch: Mapping[str, Any]) -> None:
        """None."""
        del batch


class ClassLabels(Condition):
    """The integer class labels: the model learns p(x | label)."""

    def __call__(self, batch: Mapping[str, Any]) -> Any:
        """``batch["label"]``; InputError where the data has no labels."""
        if "label" not in batch:
            raise InputError("condition", "ClassLabels", "data with labels", "use Unconditional")
        return batch["label"]
