"""Bytes of pytrees, and of what the backward pass keeps of the forward pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
from jax.extend.core import Var


def bytes_of(tree: Any) -> int:
    """Bytes of all arrays of a pytree of arrays or ``jax.ShapeDtypeStruct``."""
    return sum(_bytes(leaf) for leaf in jax.tree.leaves(tree))


def saved_bytes(loss: Callable[..., Any], params: Any, *args: Any) -> int:
    """Bytes that differentiating ``loss(params, *args)`` by ``params`` keeps from forward to backward.

    The distinct residuals of ``jax.vjp``, less the arguments themselves (parameters and batch are there
    anyway). This is what JAX asks for: XLA may compute cheap ones again instead of keeping them, and
    needs buffers for the layer that it is at.
    """

    def residuals(params: Any, *args: Any) -> list[Any]:
        return jax.tree.leaves(jax.vjp(lambda p: loss(p, *args), params)[1])

    jaxpr = jax.make_jaxpr(residuals)(params, *args).jaxpr
    given = {*jaxpr.invars, *jaxpr.constvars}
    kept = {variable for variable in jaxpr.outvars if isinstance(variable, Var)} - given
    return sum(_bytes(variable.aval) for variable in kept)


def _bytes(array: Any) -> int:
    return math.prod(array.shape) * array.dtype.itemsize
