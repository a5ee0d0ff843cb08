"""Does a value of a configuration fit an annotation?"""

from __future__ import annotations

import types
import typing
from abc import ABCMeta
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union

from score_sde.config.base import ANY, CALL, locate, marker


class Mismatch(Exception):
    """The value does not fit; the message says what would."""


def fit(value: Any, annotation: Any) -> Any:
    """``value`` as the annotated type: an int for a float becomes a float, a list a tuple.

    Numbers, booleans, text, tuples, literals and unions of them are checked; a node
    (``call`` or ``bind``) must name a subclass where the annotation is an abstract class. Arrays and
    annotations that cannot be resolved are left alone. Raises ``Mismatch``.
    """
    origin = typing.get_origin(annotation)
    if annotation in (ANY, Any, object) or isinstance(annotation, str | typing.TypeVar):
        return value
    if origin is typing.Annotated:
        return fit(value, annotation.__origin__)
    if origin in (Union, types.UnionType):
        return _fit_union(value, typing.get_args(annotation))
    if origin is Literal:
        return _require(value in typing.get_args(annotation), value, annotation)
    if annotation in _SCALARS:
        return _fit_scalar(value, annotation)
    if (origin or annotation) in (tuple, list, Sequence):
        return _fit_sequence(value, annotation)
    if (origin or annotation) in (dict, Mapping):
        return _require(isinstance(value, dict) and marker(value) is None, value, annotation)
    return _fit_part(value, annotation)


def expected(annotation: Any) -> str:
    """An annotation in words."""
    origin = typing.get_origin(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(expected(member) for member in typing.get_args(annotation))
    if origin is Literal:
        return " or ".join(repr(member) for member in typing.get_args(annotation))
    if (origin or annotation) is Callable:
        return "a function, as bind(function, ...)"
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if (origin or annotation) in (tuple, list, Sequence):
        members = typing.get_args(annotation)
        fixed = origin is tuple and Ellipsis not in members
        words = ", ".join(expected(member) for member in (members if fixed else members[:1]))
        return "a tuple" + (
            f" ({words})" if words and fixed else f" whose members are {words}" if words else ""
        )
    if (origin or annotation) in (dict, Mapping):
        return "a dictionary"
    return f"a {getattr(annotation, '__name__', annotation)}, as call(...)"


_SCALARS: dict[Any, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "text",
    None: "None",
    types.NoneType: "None",
}


def _require(holds: bool, value: Any, annotation: Any) -> Any:
    if not holds:
        raise Mismatch(expected(annotation))
    return value


def _fit_scalar(value: Any, annotation: Any) -> Any:
    if annotation is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(_require(number, value, float))
    exact = types.NoneType if annotation is None else annotation
    return _require(type(value) is exact, value, annotation)


def _fit_union(value: Any, members: Sequence[Any]) -> Any:
    """The member of exactly this type first, so that 3 stays an integer under ``float | int``."""
    for member in sorted(members, key=lambda member: (member is not type(value), member not in _SCALARS)):
        try:
            return fit(value, member)
        except Mismatch:
            continue
    raise Mismatch(" or ".join(expected(member) for member in members))


def _fit_sequence(value: Any, annotation: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise Mismatch(expected(annotation))
    members = typing.get_args(annotation)
    if not members:
        return tuple(value)
    if typing.get_origin(annotation) is not tuple or members[-1] is Ellipsis:
        members = members[:1] * len(value)
    elif len(members) != len(value):
        raise Mismatch(expected(annotation))
    return tuple(_fit_member(item, member, annotation) for item, member in zip(value, members, strict=True))


def _fit_member(value: Any, member: Any, annotation: Any) -> Any:
    try:
        return fit(value, member)
    except Mismatch:
        raise Mismatch(expected(annotation)) from None


def _fit_part(value: Any, annotation: Any) -> Any:
    """A node where a class or a function is expected; plain values only where arrays are."""
    if getattr(annotation, "__module__", "").split(".")[0] in ("jax", "jaxlib", "jaxtyping", "numpy"):
        return _require(not isinstance(value, str), value, annotation)
    if marker(value) is None:
        callable_or_class = isinstance(annotation, type) or typing.get_origin(annotation) is not None
        return _require(not callable_or_class, value, annotation)
    if (
        marker(value) == CALL
        and type(annotation) is ABCMeta
        and not getattr(annotation, "_is_protocol", False)
    ):
        target = locate(value[CALL], CALL)
        _require(not isinstance(target, type) or issubclass(target, annotation), value, annotation)
    return value
