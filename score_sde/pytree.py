"""Frozen, keyword-only dataclasses that are JAX pytrees: the base of every part of a model."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from typing import Any, Literal, dataclass_transform

import jax


def static(default: Any = dataclasses.MISSING) -> Any:
    """A field that is part of the type under ``jax.jit``: counts, functions, names.

    Changing a static field compiles again; every other field is an array leaf.
    """
    return dataclasses.field(default=default, metadata={"static": True})


def derived(*, init: Literal[False] = False) -> Any:
    """An array field that ``__post_init__`` computes with ``object.__setattr__``.

    ``init`` is there for type checkers, which learn from it that constructors do not take the field.
    """
    return dataclasses.field(init=init, repr=False)


# ``static`` is not among the specifiers: type checkers would overlook its positional default.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(derived, dataclasses.field))
class Pytree:
    """Subclasses become frozen keyword-only dataclasses and pytrees by being written.

    ``class Mine(SDE): rate: float = 1.0`` is the whole of it: no decorator and no registration.
    Checks belong in ``__post_init__``; they run where a person builds the object, never when JAX
    rebuilds it from tracers. Equality is identity, since fields are arrays.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(frozen=True, kw_only=True, eq=False)(cls)
        jax.tree_util.register_pytree_with_keys(
            cls, _flatten_with_keys, functools.partial(_unflatten, cls), _flatten
        )

    def replace(self, **changes: Any) -> Any:
        """A copy with some fields changed; the checks run again."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]


def _names(cls: type, static_fields: bool) -> tuple[str, ...]:
    fields = dataclasses.fields(cls)
    return tuple(f.name for f in fields if bool(f.metadata.get("static")) == static_fields)


def _flatten(tree: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    leaves = tuple(getattr(tree, name) for name in _names(type(tree), False))
    return leaves, tuple(getattr(tree, name) for name in _names(type(tree), True))


def _flatten_with_keys(tree: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    leaves, aux = _flatten(tree)
    keys = (jax.tree_util.GetAttrKey(name) for name in _names(type(tree), False))
    return tuple(zip(keys, leaves, strict=True)), aux


def _unflatten(cls: type, aux: Iterable[Any], leaves: Iterable[Any]) -> Any:
    tree: Any = object.__new__(cls)
    for name, value in zip(_names(cls, False), leaves, strict=True):
        object.__setattr__(tree, name, value)
    for name, value in zip(_names(cls, True), aux, strict=True):
        object.__setattr__(tree, name, value)
    return tree
