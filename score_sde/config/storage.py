"""Configurations as JSON text, and what differs between two of them."""

from __future__ import annotations

import json
from typing import Any

from ml_collections import ConfigDict

from score_sde.config.base import plain
from score_sde.errors import InputError


def to_json(config: ConfigDict) -> str:
    """The configuration as indented JSON; ``from_json`` gives it back."""
    return json.dumps(plain(config), indent=2) + "\n"


def from_json(text: str, where: str = "config") -> ConfigDict:
    """The configuration that ``to_json`` wrote; ``InputError`` at ``where`` (a file) if it is none."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InputError(where, text[:40], "a configuration as JSON", str(error)) from error
    if not isinstance(data, dict):
        raise InputError(where, text[:40], "a configuration as JSON", "the file holds something else")
    return ConfigDict(plain(data)).lock()


def differences(old: Any, new: Any, where: str = "config") -> dict[str, tuple[Any, Any]]:
    """Fields that differ, by dotted path: (old, new), None where a field is absent."""
    return _differences(plain(old), plain(new), where)


def _differences(old: Any, new: Any, where: str) -> dict[str, tuple[Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        found: dict[str, tuple[Any, Any]] = {}
        for key in old | new:
            found |= _differences(old.get(key), new.get(key), f"{where}.{key}")
        return found
    return {} if old == new else {where: (old, new)}
