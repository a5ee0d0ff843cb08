"""Networks that are plain functions."""

from __future__ import annotations

from typing import Any

import jax

from score_sde.errors import InputError


def as_pytree(where: str, network: Any) -> Any:
    """Let a plain function pass through ``jax.jit`` as part of a model."""
    if not callable(network):
        raise InputError(where, network, "a callable network(x, labels, cond, key=key)")
    if jax.tree_util.all_leaves([network]):
        return jax.tree_util.Partial(network)
    return network
