"""Solutions of symmetric linear systems, one for each example, by products with the matrix only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.arrays import expand, sum_per_example
from score_sde.typing import Array, Batch

# Step, x, residual, direction, the residual's square (batch,); a tuple: files of functions define no class.
_State = tuple[Array, Batch, Batch, Batch, Array]


def conjugate_gradients(
    product: Callable[[Batch], Batch], b: Batch, iterations: int, tolerance: float | None = None
) -> Batch:
    """x with product(x) = b, where ``product`` is symmetric, not negative, and does not mix examples.

    Every example takes steps of its own length and rests when its residual is below tolerance |b|, which
    by default is 8 roundings. Of a singular system whose b lies in its range this is the shortest solution.
    Derivatives are those of the exact solution, by another solve.
    """
    small = 8 * float(jnp.finfo(b.dtype).eps) if tolerance is None else tolerance

    def solve(product: Callable[[Batch], Batch], b: Batch) -> Batch:
        return _solve(product, b, iterations, small)

    return jax.lax.custom_linear_solve(product, b, solve, symmetric=True)


def _solve(product: Callable[[Batch], Batch], b: Batch, iterations: int, tolerance: float) -> Batch:
    start = sum_per_example(jnp.square(b))
    enough = jnp.square(jnp.asarray(tolerance, b.dtype)) * start

    def unfinished(state: _State) -> Any:
        step, _, _, _, square = state
        return (step < iterations) & jnp.any(square > enough)

    def advance(state: _State) -> _State:
        step, x, residual, direction, square = state
        image = product(direction)
        curvature = sum_per_example(direction * image)
        active = (square > enough) & (curvature > 0)
        length = jnp.where(active, square / jnp.where(active, curvature, 1), 0)
        residual = residual - expand(length, b) * image
        updated = jnp.where(active, sum_per_example(jnp.square(residual)), 0)
        ratio = jnp.where(active, updated / jnp.where(active, square, 1), 0)
        return (
            step + 1,
            x + expand(length, b) * direction,
            residual,
            residual + expand(ratio, b) * direction,
            updated,
        )

    begun = (jnp.asarray(0), jnp.zeros_like(b), b, b, start)
    return jax.lax.while_loop(unfinished, advance, begun)[1]
