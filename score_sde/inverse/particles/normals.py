"""log N(y; A m, signal A A^T + noise I) without its matrix, and draws given such a y."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.arrays import normal_like, sum_per_example
from score_sde.errors import InputError
from score_sde.inverse.base import LinearOperator, Measurement
from score_sde.products import full_matmul
from score_sde.typing import Array, Batch, Key, PerExample

DENSE = 1024  # measured values up to which a determinant is that of a matrix


def noise_variance(where: str, measurement: Measurement) -> Array:
    """The noise's variance, its mean over y where it varies; raise where it is known to be zero."""
    variance = jnp.mean(measurement.noise.variance(measurement.y))
    if not isinstance(variance, jax.core.Tracer) and not variance > 0:
        remedy = "give a small one, or use MCGDiff, which takes exact measurements"
        raise InputError(f"{where} for the noise's variance", float(variance), "more than zero", remedy)
    return variance


def size(measurement: Measurement) -> int:
    """Values of one y."""
    return math.prod(measurement.y.shape[1:])


def log_determinant(operator: Any, signal: Array, noise: Array) -> Array:
    """log det(signal A A^T + noise I), for a known decomposition or few measured values."""
    measured = math.prod(operator.measured_shape)
    if hasattr(operator, "singular_values"):
        squares = jnp.square(operator.singular_values).ravel()
        return jnp.sum(jnp.log(signal * squares + noise)) + (measured - squares.size) * jnp.log(noise)
    if measured > DENSE:
        name, expected = type(operator).__name__, f"a known SVD, or at most {DENSE} measured values"
        remedy = "Dense.of(operator) has one, if the image is small; PointTwist needs none"
        raise InputError("determinant of operator", name, expected, remedy)
    rows = matrix(operator)
    covariance = signal * full_matmul(rows, rows.T) + noise * jnp.eye(measured, dtype=rows.dtype)
    return jnp.linalg.slogdet(covariance)[1]


def matrix(operator: LinearOperator) -> Array:
    """A as rows, (measured values, values), by its adjoint."""
    measured = math.prod(operator.measured_shape)
    units = jnp.eye(measured).reshape(measured, *operator.measured_shape)
    return operator.adjoint(units).reshape(measured, -1)


def log_normal(operator: LinearOperator, residual: Batch, signal: Array, noise: Array) -> PerExample:
    """log N(residual; 0, signal A A^T + noise I) of each example, in nats, for noise > 0."""
    back = operator.weighted_adjoint(residual, signal, noise)  # A^T w with w = covariance^-1 residual
    weighted = (residual - signal * operator(back)) / noise
    # A sum of two squares keeps its digits where residual . w would not.
    square = noise * sum_per_example(jnp.square(weighted)) + signal * sum_per_example(jnp.square(back))
    constant = math.prod(residual.shape[1:]) * math.log(2 * math.pi)
    return -0.5 * (square + log_determinant(operator, signal, noise) + constant)


def conditioned_noise(
    key: Key, operator: LinearOperator, x: Batch, gain: Array, variance: Array, rest: Array, noise: Array
) -> tuple[Batch, PerExample]:
    """Draws d ~ N(0, variance I) given gain A d + e = 0; log N(d; 0, variance I) less their log density.

    e ~ N(0, rest A A^T + noise I). Draws by Matheron's rule: of d and e together, then moved on to the
    condition; nothing is factorized.
    """
    keys = jax.random.split(key, 3)
    free = jnp.sqrt(variance) * normal_like(keys[0], x)
    seen = operator(gain * free + jnp.sqrt(rest) * normal_like(keys[1], x))
    seen = seen + jnp.sqrt(noise) * normal_like(keys[2], seen)
    total = variance * jnp.square(gain) + rest
    drawn = free - variance * gain * operator.weighted_adjoint(seen, total, noise)
    observed = gain * operator(drawn)
    ratio = log_normal(operator, jnp.zeros_like(observed[:1]), total, noise)
    return drawn, ratio - log_normal(operator, observed, rest, noise)


def eliminated(matrices: Array, vectors: Array) -> tuple[Array, Array, Array]:
    """Solutions, log determinants and least pivots of symmetric (batch, m, m) systems, for few m.

    Gaussian elimination, all examples at once: a library's call for each matrix would cost a hundredfold.
    Without a change of rows, as positive matrices allow; else the least pivot is not positive.
    """
    size, rows, pivots = vectors.shape[1], jnp.concatenate([matrices, vectors[..., None]], axis=2), []
    for i in range(size):
        pivots.append(rows[:, i, i])
        safe = jnp.where(pivots[i] > 0, pivots[i], 1)
        row = rows[:, i] / safe[:, None]
        rows = (rows - rows[:, :, i, None] * row[:, None]).at[:, i].set(row)
    stacked = jnp.stack(pivots, axis=1)
    least = jnp.min(stacked, axis=1)
    return rows[..., -1], jnp.sum(jnp.log(jnp.where(stacked > 0, stacked, 1)), axis=1), least
