"""The checks that a node passes when it is written, and again when it is built."""

from __future__ import annotations

from typing import Any

from score_sde.config.annotations import Mismatch, fit
from score_sde.config.base import ANY, BIND, CALL, Arguments, shown
from score_sde.errors import InputError, did_you_mean


class Nothing:
    """How messages show an argument that was not given."""

    def __repr__(self) -> str:
        return "nothing"


def check_names(arguments: Arguments, given: dict[str, Any], where: str) -> None:
    """``InputError`` for an argument that the target does not take."""
    for name, value in given.items():
        if name not in arguments.named and not arguments.is_open:
            known = ", ".join(arguments.named) or "no argument"
            listed = f"one of {known}" if arguments.named else known
            raise InputError(f"{where}.{name}", shown(value), listed, did_you_mean(name, arguments.named))
    reserved = {CALL, BIND} & set(given)
    if reserved:
        raise InputError(f"{where}.{reserved.pop()}", "", "another name", "configurations use this one")


def check_value(arguments: Arguments, name: str, value: Any, where: str) -> Any:
    """The value as the argument's annotation wants it; ``InputError`` at ``where.name`` otherwise."""
    annotation = arguments.named[name].annotation if name in arguments.named else ANY
    try:
        return fit(value, annotation)
    except Mismatch as mismatch:
        raise InputError(f"{where}.{name}", shown(value), str(mismatch)) from None


def check_complete(arguments: Arguments, given: dict[str, Any], where: str) -> None:
    """``InputError`` for a required argument that is absent."""
    for name, argument in arguments.named.items():
        if argument.default is ANY and name not in given:
            raise InputError(f"{where}.{name}", Nothing(), "a value: it has no default", "set it")
