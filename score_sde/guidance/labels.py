"""Conditions without their class label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.networks.conditions import part
from score_sde.typing import Condition


def without_label(cond: Condition, null: int | None) -> Condition:
    """``cond`` with ``null`` in the place of each label; with ``null`` None, without a label."""
    label = part(cond, "label")
    if label is None:
        return cond
    nothing = None if null is None else jnp.full_like(label, null)
    if not isinstance(cond, Mapping):
        return nothing
    left = {name: value for name, value in cond.items() if name != "label"}
    return left if nothing is None else left | {"label": nothing}


def require_null(where: str, null: Any) -> None:
    """Raise unless ``null`` can stand for no class."""
    whole = isinstance(null, int | np.integer) and not isinstance(null, bool)
    if null is not None and (not whole or null < 0):
        raise InputError(where, null, "the number of classes, which stands for none, or None")
