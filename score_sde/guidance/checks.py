"""Checks of what guidance is given, made where values are still concrete."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.networks.conditions import part
from score_sde.typing import Array, Condition

SHARES = np.array([0.1, 0.3, 0.5, 0.7, 0.9])  # of T, at which two processes are compared
TOLERANCE = 1e-3


def require_same_process(where: str, other: Any, model: Any) -> None:
    """Raise unless what guides was made for the noise of what it guides, where that is known.

    Without it a classifier of VP's inputs would guide a VE model, silently and wrongly.
    """
    mine, theirs = model.sde, other.sde
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((mine, theirs))):
        return
    expected = f"the process of the model, {type(mine).__name__}"
    remedy = "train it for the same process"
    if hasattr(mine, "alpha") != hasattr(theirs, "alpha") or mine.T != theirs.T:
        raise InputError(f"{where}.sde", type(theirs).__name__, expected, remedy)
    if not hasattr(mine, "alpha"):
        return
    with jax.ensure_compile_time_eval():
        times = jnp.asarray(SHARES * mine.T)
        pairs = [(f.alpha(times), f.sigma(times)) for f in (mine, theirs)]
    if not all(np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE) for a, b in zip(*pairs, strict=True)):
        raise InputError(f"{where}.sde", type(theirs).__name__, f"{expected}, with its numbers", remedy)


def require_finite(where: str, value: Any) -> None:
    """Raise unless all of ``value`` is finite, where it is known."""
    if not isinstance(value, jax.core.Tracer) and not np.all(np.isfinite(value)):
        raise InputError(where, value, "a finite number, or one per example")


def require_positive(where: str, value: Any) -> None:
    """Raise unless all of ``value`` is finite and more than 0, where it is known."""
    if isinstance(value, jax.core.Tracer):
        return
    if not (np.all(np.isfinite(value)) and np.all(np.asarray(value) > 0)):
        raise InputError(where, value, "a positive number")


def label_of(where: str, cond: Condition) -> Array:
    """The class labels that ``cond`` holds; raise where there are none."""
    label = part(cond, "label")
    if label is None:
        remedy = "give cond=labels, or set condition=call(ClassLabels) in the configuration"
        raise InputError(f"cond of {where}", None, "the classes to guide to", remedy)
    return label
