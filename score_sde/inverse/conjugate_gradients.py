"""Solutions of symmetric linear systems, one for each example, by products with the matrix only."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.arrays import expand, norm_per_example, sum_per_example
from score_sde.typing import Array, Batch, PerExample

# Step, x, residual, direction, the residual's square (batch,); a tuple: files of functions define no class.
_State = tuple[Array, Batch, Batch, Batch, Array]


def conjugate_gradients(
    product: Callable[[Batch], Batch], b: Batch, iterations: int, tolerance: PerExample | float | None = None
) -> Batch:
    """x with product(x) = b, where ``product`` is symmetric, not negative, and does not mix examples.

    Every example takes steps of its own length and rests when its residual is below tolerance |b|, where
    ``tolerance`` is 8 roundings unless given, alike for all examples or one for each. Of a singular system
    whose b lies in its range this is the shortest solution. Derivatives are those of the exact solution, by
    another solve.
    """
    small = jnp.asarray(8 * jnp.finfo(b.dtype).eps if tolerance is None else tolerance, b.dtype)

    def solve(product: Callable[[Batch], Batch], b: Batch) -> Batch:
        return _solve(product, b, iterations, small)

    return jax.lax.custom_linear_solve(product, b, solve, symmetric=True)


def attainable(operator: Callable[[Batch], Batch], y: Batch, b: Batch) -> PerExample:
    """How small residuals can become beside |b|, b = A^T y: 1 where b is nothing but rounding errors.

    Those are as large as roundings of |y| times the root mean square of A's singular values, which one random
    vector tells well enough. Without this bound a y that A cannot see would be solved for, and blow up.
    """
    seen = operator(jax.random.normal(jax.random.key(0), (1, *b.shape[1:]), b.dtype))
    scale = jnp.sqrt(jnp.sum(jnp.square(seen)) / math.prod(b.shape[1:]))
    floor = 16 * jnp.finfo(b.dtype).eps * scale * norm_per_example(jax.lax.stop_gradient(y))
    size = norm_per_example(jax.lax.stop_gradient(b))
    ratio = jnp.where(size > floor, floor / jnp.where(size > floor, size, 1), 1)
    return jax.lax.stop_gradient(jnp.maximum(ratio, 8 * jnp.finfo(b.dtype).eps))


def _solve(product: Callable[[Batch], Batch], b: Batch, iterations: int, tolerance: Array) -> Batch:
    start = sum_per_example(jnp.square(b))
    enough = jnp.square(tolerance) * start

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
