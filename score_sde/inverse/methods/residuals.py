"""What a residual y - A(D) says of D and of x_t."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.arrays import expand, sum_per_example
from score_sde.denoisers.base import Denoiser
from score_sde.inverse.base import ITERATIONS, Measurement
from score_sde.inverse.conjugate_gradients import conjugate_gradients
from score_sde.typing import Array, Batch, Condition, PerExample, Time

LinearMap = Callable[[Batch], Batch]


def linearised(operator: Any, x: Batch) -> tuple[Batch, LinearMap, LinearMap]:
    """A(x), v -> A' v and w -> A'^T w, with the derivative A' at x; a linear A is its own."""
    if hasattr(operator, "adjoint"):
        return operator(x), operator, operator.adjoint
    value, push = jax.linearize(operator.__call__, x)
    transpose = jax.linear_transpose(push, x)
    return value, push, lambda w: transpose(w)[0]


def weighted_adjoint(operator: Any, residual: Batch, signal: Array, noise: Array) -> Batch:
    """A^T (signal A A^T + noise)^-1 residual, where the noise may differ from value to value of y.

    ``signal`` and a ``noise`` without axes after the first are scalars or one per example.
    """
    if jnp.ndim(noise) < 2:
        return operator.weighted_adjoint(residual, signal, noise)
    scale = expand(signal, residual)

    def covariance(v: Batch) -> Batch:
        return scale * operator(operator.adjoint(v)) + noise * v

    return operator.adjoint(conjugate_gradients(covariance, residual, ITERATIONS))


def square_and_gradient(
    model: Denoiser, measurement: Measurement, x: Batch, t: Time, cond: Condition
) -> tuple[PerExample, Batch]:
    """|y - A(D(x, t))|^2 of each example and its gradient by x.

    Noise whose variance differs among the values of y weighs their squares by the inverse variance, with
    weights whose harmonic mean is one: the measure stays in the units of y.
    """
    variance = measurement.noise.variance(measurement.y)
    weights: Any = 1.0
    if jnp.ndim(variance) > 1:
        axes = tuple(range(1, jnp.ndim(variance)))
        weights = jnp.mean(variance, axis=axes, keepdims=True) / variance

    def square(x: Batch) -> PerExample:
        return sum_per_example(weights * jnp.square(measurement.residual(model(x, t, cond))))

    value, transpose = jax.vjp(square, x)
    return value, transpose(jnp.ones_like(value))[0]
