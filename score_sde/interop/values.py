"""What readers give back as plain values: arrays, numbers, text and dictionaries of them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from score_sde.interop.pickles import Name, Record
from score_sde.interop.torch_objects import Tensor

DEPTH = 100  # of dictionaries in one another; what contains itself is deeper than any
SIZE = 100_000  # values in all: a list that holds another twice, and so on, doubles at every level
_NUMBERS = re.compile(r"[fiuc](1|2|4|8|16)|b1")


class Walk:
    """Counts the values that are visited, and how deep they lie."""

    def __init__(self) -> None:
        self._left = SIZE

    def visit(self, depth: int) -> None:
        """Raise ValueError at a value that is too deep, or at one too many."""
        self._left -= 1
        if depth > DEPTH or self._left < 0:
            raise ValueError("it is nested too deeply, or contains itself")


def plain(value: Any) -> Any:
    """The value with tensors as arrays, objects as dictionaries of their state and names as text.

    Raises:
        ValueError: what cannot be so told; something that contains itself, or itself many times over.
    """
    return _plain(value, 0, Walk())


def _plain(value: Any, depth: int, walk: Walk) -> Any:
    walk.visit(depth)
    kind = type(value)
    if kind is dict:
        return {key: _plain(inner, depth + 1, walk) for key, inner in value.items()}
    if kind in (list, tuple):
        return kind([_plain(inner, depth + 1, walk) for inner in value])
    if kind is Tensor:
        return value.array()
    if kind is Name:
        return value.name
    if kind is Record:
        return _RECORDS.get(value.name, _state)(value, depth, walk)
    return value


def require_bounded(value: Any) -> None:
    """Raise ValueError where dictionaries and lists hold too many values in all, each counted where it is."""
    walk, left = Walk(), [(value, 0)]
    while left:
        inner, depth = left.pop()
        walk.visit(depth)
        members = inner.values() if type(inner) is dict else inner if type(inner) in (list, tuple) else ()
        left += [(member, depth + 1) for member in members]


def array(value: Any) -> np.ndarray:
    """A tensor or array of a file as an array.

    Raises:
        ValueError: it is neither.
    """
    made = plain(value) if type(value) in (Tensor, Record) else value
    if not isinstance(made, np.ndarray):
        raise ValueError(f"a {type(value).__name__} where a tensor was expected")
    return made


def _state(made: Record, depth: int, walk: Walk) -> Any:
    inner = {"args": made.args, "state": made.state}
    return {"class": made.name} | {name: _plain(part, depth + 1, walk) for name, part in inner.items()}


def _scalar(made: Record, *_: Any) -> Any:
    kind, data = made.args
    return np.frombuffer(data, _dtype(kind), 1)[0].item()


def _array(made: Record, *_: Any) -> np.ndarray:
    _, shape, kind, fortran, data = made.state
    flat = np.frombuffer(data, _dtype(kind))
    return flat.reshape(shape, order="F" if fortran else "C")


def _dtype(kind: Any) -> np.dtype[Any]:
    """NumPy's type from its pickle: ``("f8", False, True)`` and ``(3, "<", ...)``."""
    code, order = kind.args[0], kind.state[1] if kind.state else "="
    if not _NUMBERS.fullmatch(code):
        raise ValueError(f"numbers of an unknown type {code!r}")
    return np.dtype(code).newbyteorder(order)


_RECORDS = {"numpy.scalar": _scalar, "numpy.array": _array}
