"""What a target is: an importable callable, its written name, and the arguments that it takes."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from score_sde.errors import InputError, did_you_mean

CALL, BIND = "target", "bind"  # the key that marks a node, and says whether it is called or bound
ANY = inspect.Parameter.empty
Target = Callable[..., Any]


class Argument(NamedTuple):
    """One argument of a target: its annotation (``ANY`` if unknown) and default (``ANY`` if required)."""

    annotation: Any
    default: Any


class Arguments(NamedTuple):
    """The arguments that a target takes by name; ``is_open`` if it takes any further name."""

    named: dict[str, Argument]
    is_open: bool


def marker(node: Any) -> str | None:
    """``target`` or ``bind`` if ``node`` stands for a target, else None."""
    if isinstance(node, Mapping | ConfigDict):
        return next((key for key in (CALL, BIND) if key in node), None)
    return None


def shown(value: Any) -> Any:
    """A value as messages show it: a node by its target."""
    key = marker(value)
    return value[key] if key else value


def plain(value: Any) -> Any:
    """Nested dictionaries and tuples of a configuration: no ConfigDict, no list, no shared part."""
    if isinstance(value, Mapping | ConfigDict):
        items = sorted(value.items(), key=lambda item: item[0] not in (CALL, BIND))  # the target first
        return {key: plain(item) for key, item in items}
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    return value.item() if type(value).__module__ == "numpy" and value.ndim == 0 else value


def locate(name: Any, where: str) -> Target:
    """The object that ``module:QualName`` names; ``InputError`` at ``where`` if there is none."""
    module_name, _, path = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not module_name or not path:
        raise InputError(where, name, "the name of a class or function", "write it as module:Name")
    try:
        found = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not f"{module_name}.".startswith(f"{error.name}."):
            raise InputError(where, name, "a module whose imports are installed", str(error)) from error
        remedy = "check the spelling, or install it, or run where it can be imported"
        raise InputError(where, name, f"a module that can be imported ({error})", remedy) from error
    for part in path.split("."):
        known = [known for known in dir(found) if not known.startswith("_")]
        if not hasattr(found, part):
            raise InputError(where, name, f"a name in {module_name}", did_you_mean(part, known))
        found = getattr(found, part)
    if not callable(found):
        raise InputError(where, name, "a class or function", "it is neither")
    return found


def name_of(target: Target) -> str:
    """``module:QualName`` of a class, function or class method; ``InputError`` if it has none."""
    owner = getattr(target, "__self__", None)
    if inspect.isclass(owner):
        name = f"{owner.__module__}:{owner.__qualname__}.{target.__name__}"
    else:
        module = _public_module(target, str(getattr(target, "__module__", "")))
        name = f"{module}:{getattr(target, '__qualname__', '')}"
    try:
        found = locate(name, "target")
    except InputError:
        found = None
    if found != target:
        remedy = "define it at the top of a module, or give its name as text, module:Name"
        raise InputError("target", target, "a class or function that can be imported by name", remedy)
    return name


def _public_module(target: Target, module: str) -> str:
    """Where a library exports what it defines in a private module: names that outlive its next release."""
    if "._" not in module:
        return module
    package, name = module.split(".")[0], getattr(target, "__name__", "")
    exporting = [
        found
        for found in sys.modules
        if found.split(".")[0] == package
        and "._" not in found
        and getattr(sys.modules[found], name, None) is target
    ]
    return min(exporting, key=lambda found: (found.count("."), len(found)), default=module)


def arguments_of(target: Target) -> Arguments:
    """The signature of ``target``, with the annotations that can be resolved."""
    function = target
    skip = 0
    if inspect.isclass(target):  # a metaclass with its own __call__ would hide the signature
        function = target.__init__ if target.__init__ is not object.__init__ else target.__new__
        skip = 1
        if function is object.__new__:
            return Arguments({}, is_open=False)
    try:
        parameters = list(inspect.signature(function).parameters.values())[skip:]
    except (TypeError, ValueError):  # written in C, without a signature
        return Arguments({}, is_open=True)
    named = {
        p.name: Argument(_annotation(target, function, p), p.default)
        for p in parameters
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    }
    return Arguments(named, is_open=any(p.kind is p.VAR_KEYWORD for p in parameters))


def _annotation(target: Target, function: Any, parameter: inspect.Parameter) -> Any:
    """The annotation as an object: where it was written as text, looked up where it was written."""
    if not isinstance(parameter.annotation, str):
        return parameter.annotation
    for scope in _scopes(target, function, parameter.name):
        try:
            return eval(parameter.annotation, scope)
        except Exception:  # a name imported for type checkers only
            continue
    return ANY


def _scopes(target: Target, function: Any, name: str) -> Iterator[dict[str, Any]]:
    for base in inspect.getmro(target) if inspect.isclass(target) else ():
        if name in inspect.get_annotations(base):
            yield dict(vars(sys.modules[base.__module__]))
    yield dict(getattr(inspect.unwrap(function), "__globals__", {}))
