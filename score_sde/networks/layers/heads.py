"""How many heads attention has at a number of channels."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod

from score_sde.errors import InputError


class Heads(ABC):
    """From a number of channels to a number of heads; 0: no attention there."""

    @abstractmethod
    def __call__(self, channels: int) -> int:
        """The number of heads."""


@dataclasses.dataclass(frozen=True)
class ConstantHeads(Heads):
    """The same number everywhere."""

    heads: int = 1

    def __call__(self, channels: int) -> int:
        """``heads``."""
        return self.heads


@dataclasses.dataclass(frozen=True)
class HeadsOf(Heads):
    """Heads of a fixed number of channels (ADM's ``num_head_channels``)."""

    size: int = 64

    def __call__(self, channels: int) -> int:
        """channels / size.

        Raises:
            InputError: the size does not divide the channels.
        """
        if channels % self.size:
            raise InputError("HeadsOf.size", self.size, f"a divisor of {channels} channels")
        return channels // self.size


HEADS_OF_64 = HeadsOf(64)


@dataclasses.dataclass(frozen=True)
class WholeHeads(Heads):
    """Heads of at least ``size`` channels; no attention where there are fewer (EDM's ADM)."""

    size: int = 64

    def __call__(self, channels: int) -> int:
        """channels // size."""
        return channels // self.size
