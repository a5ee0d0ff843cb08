"""What it costs to differentiate a loss: operations, and the memory between forward and backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import Var

from score_sde.experiment.accounting.flops import Flops, jaxpr_flops
from score_sde.experiment.accounting.memory import bytes_of


class GradientCost(NamedTuple):
    """Operations of loss and gradient together; bytes that the backward pass keeps of the forward pass."""

    flops: Flops
    saved_bytes: int


def gradient_cost(loss: Callable[..., Any], params: Any, *args: Any) -> GradientCost:
    """The cost of ``jax.value_and_grad(loss)(params, *args)``, from shapes only.

    What is saved are the distinct residuals of ``jax.vjp``, less the arguments themselves (parameters and
    batch are there anyway). This is what JAX asks for: XLA may compute cheap ones again instead of keeping
    them, and needs buffers for the layer that it is at.
    """

    def both(params: Any, *args: Any) -> tuple[list[Any], Any]:
        value, backward = jax.vjp(lambda p: loss(p, *args), params)
        return jax.tree.leaves(backward), (value, backward(jnp.ones_like(value)))

    closed, (residuals, _) = jax.make_jaxpr(both, return_shape=True)(params, *args)
    jaxpr = closed.jaxpr
    given = {*jaxpr.invars, *jaxpr.constvars}
    outputs = jaxpr.outvars[: len(residuals)]
    kept = {variable for variable in outputs if isinstance(variable, Var)} - given
    return GradientCost(jaxpr_flops(jaxpr), bytes_of([variable.aval for variable in kept]))
