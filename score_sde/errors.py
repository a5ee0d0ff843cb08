"""The one error that users see: what was given, what was expected, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class InputError(ValueError):
    """A mistake in what the user gave: a config field, a file, an argument.

    The message is one line, ``where = value: expected ...; remedy``. The command line prints it
    without a traceback and exits with code 2.
    """

    def __init__(self, where: str, value: Any, expected: str, remedy: str = "") -> None:
        self.where, self.value, self.expected, self.remedy = where, value, expected, remedy
        message = f"{where} = {value!r}: expected {expected}"
        super().__init__(" ".join((f"{message}; {remedy}" if remedy else message).split()))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by what it was made of, so that it comes back from another process."""
        return type(self), (self.where, self.value, self.expected, self.remedy)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean NAME?`` for the closest known name, or nothing when none is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""
