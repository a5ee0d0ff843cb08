"""What ``--mode=likelihood`` computes, and of which examples."""

from __future__ import annotations

from score_sde.errors import InputError
from score_sde.likelihood.base import Method
from score_sde.likelihood.dequantized import DequantizedBound
from score_sde.pytree import Pytree, static


class LikelihoodPlan(Pytree):
    """The method, and the examples that it is asked of.

    Attributes:
        method: by default the probability flow with one Hutchinson probe, one dequantisation.
        split: of the data.
        n_examples: the first so many of the split; None for all.
        batch_size: examples at once; the last batch is filled up, so that one program serves all.
    """

    method: Method = DequantizedBound()
    split: str = static("test")
    n_examples: int | None = static(None)
    batch_size: int = static(64)

    def __post_init__(self) -> None:
        for name in ("n_examples", "batch_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"likelihood.{name}", value, "a positive count", "raise it")
