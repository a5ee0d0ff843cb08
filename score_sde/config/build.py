"""From a configuration to the objects that it describes."""

from __future__ import annotations

import functools
import re
from typing import Any

from score_sde.config.base import BIND, CALL, Target, arguments_of, locate, marker, plain
from score_sde.config.checks import check_complete, check_names, check_value
from score_sde.errors import InputError


def build(config: Any, where: str = "config") -> Any:
    """Build a ``call`` (the object), a ``bind`` (a partial), and all that is nested in it.

    Every field is passed to its target, so a field that nothing uses cannot exist. The whole tree is
    checked before anything is built. ``InputError`` names the field by its dotted path, also when a
    constructor refuses a value: ``config.sde.beta_max = -1.0: expected ...``.
    """
    check(config, where)
    return _build(plain(config), where)


def check(config: Any, where: str = "config") -> None:
    """The checks of ``build``, without building; ``InputError`` names the field."""
    if marker(config) is None:
        raise InputError(where, config, "call(...) or bind(...)", "return one from get_config()")
    _check(plain(config), where)


def _check(node: Any, where: str) -> None:
    for at, child in _children(node, where):
        _check(child, at)
    kind = marker(node)
    if kind is None:
        return
    arguments = arguments_of(locate(node[kind], f"{where}.{kind}"))
    given = {key: value for key, value in node.items() if key != kind}
    check_names(arguments, given, where)
    for key, value in given.items():
        check_value(arguments, key, value, where)
    if kind == CALL:
        check_complete(arguments, given, where)


def _children(node: Any, where: str) -> list[tuple[str, Any]]:
    if isinstance(node, dict):
        return [(f"{where}.{key}", value) for key, value in node.items()]
    if isinstance(node, tuple):
        return [(f"{where}[{i}]", value) for i, value in enumerate(node)]
    return []


def _build(node: Any, where: str) -> Any:
    if isinstance(node, tuple):
        return tuple(_build(value, at) for at, value in _children(node, where))
    if not isinstance(node, dict):
        return node
    kind = marker(node)
    if kind is None:
        return {key: _build(value, f"{where}.{key}") for key, value in node.items()}
    target = locate(node[kind], f"{where}.{kind}")
    arguments = arguments_of(target)
    values = {key: check_value(arguments, key, node[key], where) for key in node if key != kind}
    built = {key: _build(value, f"{where}.{key}") for key, value in values.items()}
    if kind == BIND:  # nothing bound: the function, class or dtype itself
        return target if not built else functools.partial(_located(target, where), **built)
    return _located(target, where)(**built)


def _located(target: Target, where: str) -> Target:
    """``target``, whose complaints about its arguments name them by their place in the config."""

    @functools.wraps(target, updated=())
    def located(*args: Any, **kwargs: Any) -> Any:
        try:
            return target(*args, **kwargs)
        except InputError as error:
            place = _place(error.where, target, where)
            raise InputError(place, error.value, error.expected, error.remedy) from error
        except Exception as error:
            unknown = re.search(r"unexpected keyword argument '(\w+)'", str(error))
            if unknown and unknown[1] in kwargs:  # it went through **options to another function
                field, value = f"{where}.{unknown[1]}", kwargs[unknown[1]]
                raise InputError(field, value, f"an argument that {target.__name__} takes") from error
            error.add_note(f"while building {where} ({_named(target)})")
            raise

    return located


def _named(target: Target) -> str:
    return f"{getattr(target, '__module__', '')}:{getattr(target, '__qualname__', target)}"


def _place(told: str, target: Target, where: str) -> str:
    """What is built at ``config.sde`` tells ``VP.rate``, ``sde.rate`` or ``rate``: ``config.sde.rate``."""
    root = where.replace("[", ".").split(".")[0]
    if told == root or told.startswith((f"{root}.", f"{root}[")):
        return told
    head, _, field = told.rpartition(".")
    names = {base.__name__ for base in getattr(target, "__mro__", ())}
    qualified = _named(target).rpartition(":")[2]
    names |= {qualified, *qualified.split("."), where.rpartition(".")[2]}
    known = head in names or (not head and field in arguments_of(target).named)
    return f"{where}.{field}" if known else f"{where}: {told}"
