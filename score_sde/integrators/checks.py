"""Checks and shapes that the integrators share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.integrators.base import VectorField
from score_sde.typing import Array

Slope = Callable[[Array, Any], Any]  # (scalar time, y) -> dy/dt


def require_count(where: str, value: Any) -> None:
    """Raise unless ``value`` is a whole number of at least one."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(where, value, "a whole number of at least 1")


def require_positive(where: str, value: Any) -> None:
    """Raise unless ``value`` > 0."""
    if not value > 0:
        raise InputError(where, value, "a positive number")


def batch_size(y: Any) -> int:
    """Length of the leading axis that all leaves share."""
    return jax.tree.leaves(y)[0].shape[0]


def shared_slope(field: VectorField, y0: Any, args: tuple[Any, ...]) -> Slope:
    """The field at one time for all examples, (scalar time, y) -> dy/dt."""
    n = batch_size(y0)
    return lambda t, y: field(jnp.full((n,), t), y, *args)


def time_dtype(y: Any) -> Any:
    """The floating type in which time is kept: at least single precision, whatever the state is in."""
    return jnp.result_type(jnp.float32, *(leaf.dtype for leaf in jax.tree.leaves(y)))
