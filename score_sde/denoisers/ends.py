"""Telling a model where a step ends."""

from __future__ import annotations

from collections.abc import Mapping

from score_sde.typing import Array, Condition

END = "end"  # of conditions that are dictionaries


def ending(cond: Condition, end: Array) -> Condition:
    """The condition ``cond``, and beside it that a step ends at ``end``, (B,)."""
    if isinstance(cond, Mapping):
        return {**cond, END: end}
    return {END: end} if cond is None else {"label": cond, END: end}
