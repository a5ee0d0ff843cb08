"""Twists: about p(y | x_t), by what each takes for the law of x_0 given x_t."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from score_sde.arrays import sum_per_example
from score_sde.denoisers.base import Denoiser
from score_sde.errors import InputError
from score_sde.inverse.base import Measurement, require_linear
from score_sde.inverse.particles.base import Kernel, Twist, Twisted
from score_sde.inverse.particles.normals import (
    conditioned_noise,
    eliminated,
    log_determinant,
    log_normal,
    matrix,
    noise_variance,
    size,
)
from score_sde.products import full_einsum
from score_sde.typing import Array, Batch, Condition, Key, PerExample

FEW = 64  # measured values up to which a derivative is taken along each


class NoTwist(Twist):
    """Knows nothing of y before t = 0: importance sampling of the posterior from the prior.

    The bootstrap filter of a measurement that comes at the end. Right on average and for any operator,
    useful where y tells little, and as a check of the others.
    """

    def __call__(
        self,
        model: Denoiser,
        measurement: Measurement,
        x: Batch,
        t: Array,
        spread: Array,
        cond: Condition = None,
    ) -> Twisted:
        """D twice, and log 1."""
        denoised = model(x, t, cond)
        return Twisted(denoised, denoised, jnp.zeros(x.shape[:1], x.dtype))


class PointTwist(Twist):
    """N(y; A(D), noise + r_t^2 I): for every operator, linear or not (Wu et al. 2023, eq. 8-10).

    Guidance is the gradient through the denoiser, as in DPS: guided = D + sigma^2 / alpha grad_x log twist.

    Attributes:
        inflation: factor of r_t^2; 0 is the paper's twist, which trusts D from the start.
    """

    inflation: float = 1.0

    def __call__(
        self,
        model: Denoiser,
        measurement: Measurement,
        x: Batch,
        t: Array,
        spread: Array,
        cond: Condition = None,
    ) -> Twisted:
        """The twist and its gradient, from one evaluation and its transpose."""
        variance = noise_variance("PointTwist", measurement) + self.inflation * spread
        constant = 0.5 * size(measurement) * jnp.log(2 * jnp.pi * variance)

        def log_value(x: Batch) -> tuple[Array, tuple[PerExample, Batch]]:
            denoised = model(x, t, cond)
            square = sum_per_example(jnp.square(measurement.residual(denoised)))
            values = -0.5 * square / variance - constant
            return jnp.sum(values), (values, denoised)

        gradient, (values, denoised) = jax.grad(log_value, has_aux=True)(x)
        told, reach = model.sde.alpha(t) > 0, model.sde.covariance_scale(t)
        return Twisted(denoised, denoised + reach * gradient, jnp.where(told, values, 0))


class LinearTwist(Twist):
    """For linear operators: the noise of a step is that of x_s given x_t and y, if x_0 | x_t ~ N(D, r_t^2 I).

    With it the step is the best there is (weights do not vary) where that law of x_0 is right.
    """

    def check(self, measurement: Measurement) -> None:
        """Raise for an operator without a transpose and determinant, and for exact measurements."""
        where = type(self).__name__
        noise = noise_variance(where, measurement)
        jax.eval_shape(log_determinant, require_linear(where, measurement.operator), noise, noise)

    def draw(
        self, key: Key, measurement: Measurement, kernel: Kernel, like: Batch
    ) -> tuple[Batch, PerExample]:
        """Noise given y, and its log density under the prior's kernel less that under its own."""
        noise = noise_variance(type(self).__name__, measurement)
        safe = jnp.where(kernel.variance > 0, kernel.variance, 1)
        gain = kernel.c_0 * kernel.spread / safe
        rest = kernel.spread * jnp.square(kernel.std) / safe
        return conditioned_noise(key, measurement.operator, like, gain, kernel.variance, rest, noise)


class IsotropicTwist(LinearTwist):
    """N(y; A D, r_t^2 A A^T + noise I), of which PiGDM takes the score (Song et al. 2023, eq. 7).

    guided = D + r_t^2 A^T (r_t^2 A A^T + noise I)^-1 (y - A D): no derivative of the model.
    """

    def __call__(
        self,
        model: Denoiser,
        measurement: Measurement,
        x: Batch,
        t: Array,
        spread: Array,
        cond: Condition = None,
    ) -> Twisted:
        """The twist from one evaluation."""
        noise, operator = noise_variance("IsotropicTwist", measurement), measurement.operator
        denoised = model(x, t, cond)
        residual = measurement.residual(denoised)
        guided = denoised + spread * operator.weighted_adjoint(residual, spread, noise)
        return Twisted(denoised, guided, log_normal(operator, residual, spread, noise))


class CovarianceTwist(LinearTwist):
    """N(y; A D, A C A^T + noise I), C = sigma^2 / alpha dD/dx the covariance of x_0 given x_t (TMPD's).

    Boys et al. 2024, eq. 10 and 11; Rozet et al. 2024, section 4.2. C A^T is taken by a derivative along each
    row of A: for few measured values. It sees how far apart the modes are that x_t leaves open, which r_t^2
    does not.
    """

    def check(self, measurement: Measurement) -> None:
        """Raise also for more measured values than derivatives that one would take."""
        super().check(measurement)
        if size(measurement) > FEW:
            expected = f"at most {FEW} of one example"
            raise InputError("measured values", size(measurement), expected, "use IsotropicTwist()")

    def evaluations(self, measurement: Measurement) -> int:
        """One, and one for each measured value."""
        return 1 + size(measurement)

    def __call__(
        self,
        model: Denoiser,
        measurement: Measurement,
        x: Batch,
        t: Array,
        spread: Array,
        cond: Condition = None,
    ) -> Twisted:
        """The twist from one evaluation and its derivative along the rows of A."""
        noise, operator = noise_variance("CovarianceTwist", measurement), measurement.operator
        count = x.shape[0]
        rows = matrix(operator).reshape(-1, 1, *x.shape[1:])
        denoised, derivative = jax.linearize(lambda x: model(x, t, cond), x)
        told, reach = model.sde.alpha(t) > 0, model.sde.covariance_scale(t)
        columns = reach * jax.vmap(lambda row: derivative(jnp.broadcast_to(row, x.shape)))(rows)  # C A^T
        seen = jnp.moveaxis(jax.vmap(lambda column: operator(column).reshape(count, -1))(columns), 0, -1)
        residual = measurement.residual(denoised).reshape(count, -1)
        weighted, log_value = _weigh(residual, seen, noise)
        guided = denoised + full_einsum("mn...,nm->n...", columns, weighted)
        return Twisted(denoised, guided, jnp.where(told, log_value, 0))


def _weigh(residual: Array, covariance: Array, noise: Array) -> tuple[Array, PerExample]:
    """S^-1 e and log N(e; 0, S), S the symmetric part of the covariance and the noise.

    A network's derivative need not be a covariance: where S is not positive, its diagonal takes its place.
    """
    unit = jnp.eye(residual.shape[1], dtype=residual.dtype)
    total = 0.5 * (covariance + jnp.swapaxes(covariance, 1, 2)) + noise * unit
    diagonal = jnp.maximum(jnp.diagonal(covariance, axis1=1, axis2=2), 0) + noise
    weighted, log_determinant, least = eliminated(total, residual)
    positive = least > 0
    weighted = jnp.where(positive[:, None], weighted, residual / diagonal)
    log_determinant = jnp.where(positive, log_determinant, jnp.sum(jnp.log(diagonal), axis=1))
    square = jnp.sum(weighted * residual, axis=1)
    return weighted, -0.5 * (square + log_determinant + residual.shape[1] * math.log(2 * math.pi))
