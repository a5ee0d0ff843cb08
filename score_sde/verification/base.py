"""What a law found, and how laws are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from score_sde.typing import Array


class Finding(NamedTuple):
    """One law, held to one part.

    Attributes:
        law: its name.
        holds: whether it holds.
        measured: the number that decides, as an error; NaN where there is none.
        allowed: the most that it may be.
        told: what the number is, or what went wrong.
    """

    law: str
    holds: bool
    measured: float
    allowed: float
    told: str


Law = Callable[..., Finding]


def within(law: str, measured: Any, allowed: float, told: str) -> Finding:
    """The law holds where the error is a number that is allowed."""
    error = float(measured)
    return Finding(law, error <= allowed, error, allowed, told)


def error_of(found: Any, expected: Any, floor: float = 0.0) -> float:
    """Largest |found - expected| / (|expected| + floor); infinite unless all is finite."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if not (np.all(np.isfinite(found)) and np.all(np.isfinite(expected))):
        return float("inf")
    apart, scale = np.abs(found - expected), np.abs(expected) + floor
    return float(np.max(np.where(apart == 0, 0.0, apart / np.where(scale > 0, scale, 1e-300))))


def held(laws: Iterable[Law], *parts: Any) -> Iterator[Finding]:
    """Each law asked of the parts, in float64; one that cannot be evaluated does not hold."""
    for law in laws:
        try:
            with jax.enable_x64(True):
                yield law(*parts)
        except Exception as error:  # whatever a reader's own class raises is the finding
            told = " ".join(f"{type(error).__name__}: {error}".split())
            yield Finding(law.__name__, False, float("nan"), 0.0, told[:200])


def is_same_tree(law: str, part: Any) -> Finding:
    """Taken apart and put together by JAX, a part is what it was: flatten, unflatten, jit."""
    leaves, structure = jax.tree.flatten(part)
    again = jax.tree.unflatten(structure, leaves)
    through = jax.tree.leaves(jax.jit(lambda tree: tree)(part))
    same = type(again) is type(part) and [jax.tree.structure(again)] == [structure]
    changed = [error_of(leaf, other, 1e-300) for leaf, other in zip(leaves, through, strict=True)]
    hash(structure)  # what a jitted function is found by
    measured = max(changed, default=0.0) if same else float("inf")
    return within(law, measured, 1e-6, "leaves after flatten, unflatten and jit, relative error")


def finite(*values: Array) -> bool:
    """Whether all are finite."""
    return all(bool(np.all(np.isfinite(np.asarray(value, np.float64)))) for value in values)
