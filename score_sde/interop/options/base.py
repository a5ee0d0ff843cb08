"""Reading the options that an original implementation was given."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import jax

from score_sde.errors import InputError, did_you_mean
from score_sde.networks.base import initialise

Options = Mapping[str, Any]
Value = TypeVar("Value")


def chosen(options: Options, name: str, choices: Mapping[Any, Value], default: Any) -> Value:
    """What ``choices`` says of an option's value, in any case of letters.

    Raises:
        InputError: a value that the original does not know either.
    """
    value = options.get(name, default)
    value = value.lower() if isinstance(value, str) else value
    if value not in choices:
        known = [str(choice) for choice in choices]
        raise InputError(
            f"option {name}", value, f"one of {', '.join(known)}", did_you_mean(str(value), known)
        )
    return choices[value]


def require_spelling(options: Options, known: Sequence[str]) -> None:
    """Raise InputError for a name that is nearly one of ``known``; others are of parts that are not read."""
    for name in sorted(set(options) - set(known)):
        if difflib.get_close_matches(name, known, n=1, cutoff=0.9):
            raise InputError("options", name, "an option that the original has", did_you_mean(name, known))


def required(options: Options, name: str) -> Any:
    """The value of an option that has no default.

    Raises:
        InputError: it is missing.
    """
    if name not in options:
        raise InputError("options", sorted(options), f"{name} among them", "give the original's options")
    return options[name]


def renamed(
    options: Options, names: Mapping[str, str], convert: Callable[[Any], Any] = lambda v: v
) -> dict[str, Any]:
    """The options that are given, under our names; what is not given keeps our default."""
    return {
        ours: convert(options[theirs]) for theirs, ours in names.items() if options.get(theirs) is not None
    }


def made(factory: Callable[..., Any], shape: tuple[int, ...], seed: int | None) -> Any:
    """The network that ``factory(shape=, rngs=)`` makes, its weights drawn from ``seed``.

    With None they are shapes which wait to be loaded, and nothing is drawn or allocated.
    """
    if seed is None:
        return jax.eval_shape(lambda: initialise(factory, seed=0, shape=shape))
    return initialise(factory, seed=seed, shape=shape)


def require_weights(network: Any) -> None:
    """Raise InputError where a network has shapes in place of weights."""
    if any(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(network)):
        remedy = "interop.load(file, network) fills them; seed=0 to the function that made it draws them"
        raise InputError("network", "shapes without weights", "a network with weights", remedy)
