"""Checks of an SDE's constants, made where a person writes them."""

from __future__ import annotations

from score_sde.errors import InputError


def require_increasing(where: str, low: float, high: float, low_name: str) -> None:
    """Raise unless 0 <= low < high."""
    if not 0 <= low < high:
        raise InputError(where, high, f"more than {low_name} = {low!r}, which is at least 0", "raise it")


def require_positive(where: str, value: float) -> None:
    """Raise unless value > 0."""
    if not value > 0:
        raise InputError(where, value, "a positive number", "raise it")
