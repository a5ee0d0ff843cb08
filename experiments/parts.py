"""From ``--part=NAME --part.FIELD=VALUE`` on a command line to the part itself."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from ml_collections import ConfigDict

from score_sde.config import bind, build, call, marker, override
from score_sde.errors import InputError, did_you_mean

Changes = Sequence[tuple[str, str]]


def part(kind: str, name: str, base: type, known: Any, changes: Changes, **given: Any) -> ConfigDict:
    """A description of the class ``name``, of a package of ours or ``module:Class``, with its fields."""
    flag = f"--{kind}"
    public = [each for each in known.__all__ if _usable(getattr(known, each), base)]
    if ":" not in name and name not in public:
        remedy = did_you_mean(name, public) or "or module:Class of your own"
        raise InputError(flag, name, f"a class of {known.__name__} ({', '.join(public)})", remedy)
    target = name if ":" in name else f"{known.__name__}:{name}"
    return completed(flag, bind(target, **given), changes)


def completed(flag: str, described: ConfigDict, changes: Changes) -> ConfigDict:
    """What lacks required fields until they are overridden, as a call that is complete."""
    for path, text in changes:
        override(described, path, text, flag)
    kind = marker(described)
    fields = {key: value for key, value in described.items() if key != kind}
    return call(described[kind], **fields)


def built(kind: str, described: ConfigDict, base: type) -> Any:
    """The part, which is of the kind that its flag asks for."""
    found = build(described, f"--{kind}")
    if base not in type(found).__mro__:
        raise InputError(f"--{kind}", type(found).__name__, f"a subclass of {base.__name__}")
    return found


def _usable(part: Any, base: type) -> bool:
    return inspect.isclass(part) and issubclass(part, base) and not inspect.isabstract(part)
