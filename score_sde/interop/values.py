"""What readers give back as plain values: arrays, numbers, text and dictionaries of them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from score_sde.interop.pickles import Name, Record
from score_sde.interop.torch_objects import Tensor

DEPTH = 100  # of dictionaries in one another; what contains itself is deeper than any
_NUMBERS = re.compile(r"[fiuc](1|2|4|8|16)|b1")


def plain(value: Any, depth: int = 0) -> Any:
    """The value with tensors as arrays, objects as dictionaries of their state and names as text.

    Raises:
        ValueError: what cannot be so told; something that contains itself.
    """
    if depth > DEPTH:
        raise ValueError("it is nested too deeply, or contains itself")
    kind = type(value)
    if kind is dict:
        return {key: plain(inner, depth + 1) for key, inner in value.items()}
    if kind in (list, tuple):
        return kind(plain(inner, depth + 1) for inner in value)
    if kind is Tensor:
        return value.array()
    if kind is Name:
        return value.name
    if kind is Record:
        return _RECORDS.get(value.name, _state)(value, depth)
    return value


def array(value: Any) -> np.ndarray:
    """A tensor or array of a file as an array.

    Raises:
        ValueError: it is neither.
    """
    made = plain(value) if type(value) in (Tensor, Record) else value
    if not isinstance(made, np.ndarray):
        raise ValueError(f"a {type(value).__name__} where a tensor was expected")
    return made


def _state(made: Record, depth: int) -> Any:
    return {"class": made.name, "args": plain(made.args, depth + 1), "state": plain(made.state, depth + 1)}


def _scalar(made: Record, _: int) -> Any:
    kind, data = made.args
    return np.frombuffer(data, _dtype(kind), 1)[0].item()


def _array(made: Record, _: int) -> np.ndarray:
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
