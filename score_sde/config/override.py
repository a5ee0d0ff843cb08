"""Changing one field of a configuration by its dotted path and a text: ``--config.sde.beta_max=25``."""

from __future__ import annotations

import ast
import contextlib
import re
import types
import typing
from collections.abc import Callable
from typing import Any

from ml_collections import ConfigDict

from score_sde.config.annotations import Mismatch, fit
from score_sde.config.base import ANY, BIND, CALL, Arguments, arguments_of, locate, marker, plain, shown
from score_sde.config.describe import bind, call
from score_sde.errors import InputError, did_you_mean


def override(config: ConfigDict, path: str, text: str, where: str = "config") -> None:
    """Set the field at ``path`` (``sde.beta_max``, ``parts[0].rate``) to the value that ``text`` writes.

    The text is read as the field's annotation wants it: a number, ``true`` or ``false``, ``None``, a
    tuple ``"(1, 2)"``, bare text. ``module:Name`` replaces a part by another with its defaults
    (``sampler.predictor=score_sde.samplers:Heun``). Raises ``InputError`` that names the field.
    """
    keys = [int(key) if key.isdigit() else key for key in re.findall(r"[^.\[\]]+", path)]
    if not keys:
        raise InputError(f"{where}.{path}", text, "the path of a field", "write --config.FIELD=VALUE")
    changed = _changed(plain(config), keys, text, where)
    with config.unlocked(), config.ignore_type():
        config[keys[0]] = changed[keys[0]]
    config.lock()


def _changed(node: Any, keys: list[Any], text: str, where: str) -> Any:
    """A copy of ``node`` with the field at ``keys`` changed."""
    key, *rest = keys
    place = f"{where}[{key}]" if isinstance(key, int) else f"{where}.{key}"
    annotation, present = _field(node, key, text, place)
    value = _changed(present, rest, text, place) if rest else _read(text, annotation, present, place)
    if isinstance(node, tuple):
        return (*node[:key], value, *node[key + 1 :])
    return node | {key: value}


def _field(node: Any, key: Any, text: str, place: str) -> tuple[Any, Any]:
    """Annotation and present value of a field that exists."""
    if isinstance(node, tuple) and isinstance(key, int):
        if key >= len(node):
            raise InputError(place, text, f"an index below {len(node)}")
        return ANY, node[key]
    if not isinstance(node, dict):
        raise InputError(place, text, "a field that exists", f"{place.rpartition('.')[0]} is {node!r}")
    kind = marker(node)
    if kind is None or key == kind:
        known, (named, is_open) = list(node), Arguments({}, is_open=False)
    else:
        named, is_open = arguments_of(locate(node[kind], f"{place.rpartition('.')[0]}.{kind}"))
        known = [*named, *(name for name in node if name != kind and name not in named)]
    if key not in known and not is_open:
        raise InputError(place, text, f"one of {', '.join(known)}", did_you_mean(str(key), known))
    return (named[key].annotation if key in named else ANY), node.get(key)


def _read(text: str, annotation: Any, present: Any, place: str) -> Any:
    """The value that ``text`` writes for a field."""
    if annotation is ANY and isinstance(present, bool | int | float | str | tuple):
        annotation = type(present)
    if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", text) and not _admits_text(text, annotation):
        return _part(text, annotation, present, place)
    wanted = ""
    for value in _readings(text):
        try:
            return fit(value, annotation)
        except Mismatch as mismatch:
            wanted = str(mismatch)
    raise InputError(place, text, wanted)


def _admits_text(text: str, annotation: Any) -> bool:
    with contextlib.suppress(Mismatch):
        return annotation is not ANY and fit(text, annotation) == text
    return False


def _is_function(annotation: Any) -> bool:
    members = (
        typing.get_args(annotation) if typing.get_origin(annotation) is types.UnionType else (annotation,)
    )
    return any((typing.get_origin(member) or member) in (Callable, type) for member in members)


def _part(name: str, annotation: Any, present: Any, place: str) -> Any:
    locate(name, place)
    try:
        bound = marker(present) == BIND or (present is None and _is_function(annotation))
        value = plain((bind if bound else call)(name))
        return fit(value, annotation)
    except InputError as error:
        told = f"{place}.{error.where.rpartition('.')[2]}"
        raise InputError(told, error.value, error.expected, "set it in the config file") from error
    except Mismatch as mismatch:
        raise InputError(place, shown({CALL: name}), str(mismatch)) from None


def _readings(text: str) -> list[Any]:
    """What a text may mean, likeliest first; a list or tuple may miss its brackets."""
    words: dict[str, Any] = {"true": True, "false": False, "none": None, "null": None}
    readings: list[Any] = [words[text.lower()]] if text.lower() in words else []
    with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        readings.append(plain(ast.literal_eval(text.strip())))
    with contextlib.suppress(ValueError):
        readings.append(float(text))
    return [*readings, text]
