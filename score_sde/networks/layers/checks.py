"""Checks of what networks are made with."""

from __future__ import annotations

from score_sde.errors import InputError


def require_counts(network: str, *, least: int = 1, **options: int | None) -> None:
    """Raise InputError for an option, other than None, that is no whole number of at least ``least``."""
    for name, value in options.items():
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            raise InputError(f"{network}.{name}", value, f"a whole number of at least {least}")
