"""Writing a configuration: ``call`` for an object, ``bind`` for a function that still lacks arguments."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from ml_collections import ConfigDict

from score_sde.config.base import BIND, CALL, Argument, Target, arguments_of, locate, name_of, plain
from score_sde.config.checks import check_complete, check_names, check_value
from score_sde.errors import InputError


def call(target: Target | str, /, **arguments: Any) -> ConfigDict:
    """Describe ``target(**arguments)`` as data, checked against the signature now.

    ``target`` is a class, function or class method, or its name ``module:QualName``. Defaults that
    can be written as data are filled in, so that every one of them is a field that can be
    overridden. Functions among the arguments stand for themselves. The result is a tree of its own
    (no part is shared with the arguments), is locked against new fields, and is JSON.

    Raises ``InputError`` that names the argument for a name that the target does not take, a
    required one that is absent, or a value of the wrong type.
    """
    return ConfigDict(_describe(CALL, target, arguments)).lock()


def bind(target: Target | str, /, **arguments: Any) -> ConfigDict:
    """Describe ``functools.partial(target, **arguments)``: missing arguments are supplied later.

    As ``call`` in everything else.
    """
    return ConfigDict(_describe(BIND, target, arguments)).lock()


class NotData(Exception):
    """A value that cannot be written down."""


def _describe(kind: str, target: Target | str, given: dict[str, Any]) -> dict[str, Any]:
    name = target if isinstance(target, str) else name_of(target)
    where = name.partition(":")[2] or name
    found = locate(name, where)
    if inspect.isabstract(found):
        raise InputError(where, name, "a class that can be built", "it is abstract: name a subclass")
    arguments = arguments_of(found)
    values = {key: _as_data(f"{where}.{key}", value) for key, value in given.items()}
    check_names(arguments, values, where)
    if kind == CALL:
        check_complete(arguments, values, where)
    fields = {key: check_value(arguments, key, value, where) for key, value in values.items()}
    for key, argument in arguments.named.items():
        if key not in fields and argument.default is not inspect.Parameter.empty:
            fields |= _default(found, key, argument)
    ordered = [key for key in arguments.named if key in fields] + [
        k for k in fields if k not in arguments.named
    ]
    return {kind: name} | {key: fields[key] for key in ordered}


def _as_data(where: str, value: Any) -> Any:
    try:
        return _data(value)
    except NotData:
        remedy = "write call(Class, ...) in place of the object"
        raise InputError(where, value, "data (numbers, text, tuples) or a call", remedy) from None


def _data(value: Any) -> Any:
    """``value`` as plain data; functions and classes become bound names."""
    value = plain(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {key: _data(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_data(item) for item in value)
    if callable(value) and not dataclasses.is_dataclass(type(value)):
        return {BIND: _name(value)}
    raise NotData


def _name(target: Target) -> str:
    try:
        return name_of(target)
    except InputError:
        raise NotData from None


def _default(target: Target, key: str, argument: Argument) -> dict[str, Any]:
    """The field that a default fills in; none where it cannot be written as data."""
    default = argument.default
    for field in dataclasses.fields(target) if dataclasses.is_dataclass(target) else ():
        if field.name == key and field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
    try:
        value = _object_as_data(default)
    except NotData:
        return {}
    return {key: float(value) if argument.annotation is float and type(value) is int else value}


def _object_as_data(value: Any) -> Any:
    """As ``_data``, and a dataclass instance becomes the call that builds it."""
    if isinstance(value, tuple | list):
        return tuple(_object_as_data(item) for item in value)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        if callable(value):  # a function as default stays the target's own business
            raise NotData
        return _data(value)
    fields = {f.name: _object_as_data(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
    return {CALL: _name(type(value))} | fields
