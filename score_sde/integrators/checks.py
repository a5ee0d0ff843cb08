"""Checks and shapes that the integrators share."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde.errors import InputError


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


def time_dtype(y: Any) -> Any:
    """The floating type in which time is kept: at least single precision, whatever the state is in."""
    return jnp.result_type(jnp.float32, *(leaf.dtype for leaf in jax.tree.leaves(y)))
