"""Checks of an SDE's constants, made where a person writes them."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from score_sde.errors import InputError


def require_increasing(where: str, low: float, high: float, low_name: str) -> None:
    """Raise unless 0 <= low < high."""
    if not 0 <= low < high:
        raise InputError(where, high, f"more than {low_name} = {low!r}, which is at least 0", "raise it")


def require_positive(where: str, value: float) -> None:
    """Raise unless value > 0."""
    if not value > 0:
        raise InputError(where, value, "a positive number", "raise it")


def require_inside(where: str, time: Any, sde: Any) -> None:
    """Raise unless a time, where it is known, lies in [0, T], but for rounding."""
    if time is None or isinstance(time, jax.core.Tracer) or isinstance(sde.T, jax.core.Tracer):
        return
    if not np.all((np.asarray(time) >= 0) & (np.asarray(time) <= sde.T * (1 + 1e-5))):
        expected = f"in [0, {sde.T:g}], the time of {type(sde).__name__}"
        raise InputError(where, np.asarray(time).tolist(), expected, "move it, or raise T")
