"""Posteriors and evidence in closed form: linear measurements, normal noise, Gaussians and their mixtures."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from score_sde.arrays import flatten
from score_sde.denoisers.exact import GaussianMixture
from score_sde.errors import InputError
from score_sde.inverse.base import Measurement, require_linear
from score_sde.products import full_einsum, full_matmul
from score_sde.pytree import Pytree
from score_sde.typing import Array, Batch, Key


class _Laws(NamedTuple):
    """Components of a prior as y sees them."""

    log_joint: Array  # log w_k N(y; A m_k, S_k)
    residual: Array  # y - A m_k, (components, measured)
    covariances: Array  # S_k = A C_k A^T + noise
    crossed: Array  # A C_k, (components, measured, dimensions)


class RoundPosterior(Pytree):
    """The posterior of an ``IsotropicMixture``: a mixture that is drawn from without matrices of its size.

    Attributes:
        weights: of the components given y, (components,).
        means: of the components given y, (components, *event).
        gains: of y's surprise, C_k A^T S_k^-1, (components, dimensions, measured).
        prior_means: (components, *event).
        stds: of the prior's components.
        rows: A, (measured, dimensions).
        y: (measured,).
        variances: of the noise, (measured,).
    """

    weights: Array
    means: Array
    gains: Array
    prior_means: Array
    stds: Array
    rows: Array
    y: Array
    variances: Array

    def sample(self, key: Key, n: int) -> Batch:
        """``n`` draws, by Matheron's rule: a draw of x_0 and y from the prior, moved by what y should be."""
        pick, draw, noise = jax.random.split(key, 3)
        k = jax.random.choice(pick, self.weights.shape[0], (n,), p=self.weights)
        z = jax.random.normal(draw, (n, self.rows.shape[1]), self.rows.dtype)
        x = flatten(self.prior_means)[k] + self.stds[k, None] * z
        seen = full_matmul(x, self.rows.T)
        seen = seen + jnp.sqrt(self.variances) * jax.random.normal(noise, seen.shape, seen.dtype)
        moved = x + full_einsum("ndm,nm->nd", self.gains[k], self.y - seen)
        return moved.reshape(n, *self.means.shape[1:])

    @property
    def mean(self) -> Array:
        """E[x_0 | y], of the shape of one example."""
        return full_einsum("k,k...->...", self.weights, self.means)


def posterior(prior: Any, measurement: Measurement) -> Any:
    """p(x_0 | y) of a Gaussian, GaussianMixture or IsotropicMixture and a linear operator with normal noise.

    Component k has mean m_k + K_k (y - A m_k) and covariance (I - K A) C (I - K A)^T + K noise K^T, with
    K = C A^T S^-1, S = A C A^T + noise, and weight w_k N(y; A m_k, S_k). As a GaussianMixture on the prior's
    SDE, and so with its score at every time; of an IsotropicMixture as a RoundPosterior.

    Raises:
        InputError: another prior, operator or noise; more than one y.
    """
    rows, y, variances = _linear(measurement)
    laws = _laws(prior, rows, y, variances)
    gains = jnp.swapaxes(jnp.linalg.solve(laws.covariances, laws.crossed), 1, 2)
    weights = jax.nn.softmax(laws.log_joint)
    prior_means = _means(prior)
    means = flatten(prior_means) + full_einsum("kdm,km->kd", gains, laws.residual)
    means = means.reshape(prior_means.shape)
    if hasattr(prior, "stds"):
        return RoundPosterior(
            weights=weights,
            means=means,
            gains=gains,
            prior_means=prior_means,
            stds=prior.stds,
            rows=rows,
            y=y,
            variances=variances,
        )
    rest = jnp.eye(rows.shape[1], dtype=rows.dtype) - full_matmul(gains, rows)
    covariances = full_einsum("kij,kjl,kml->kim", rest, _covariances(prior), rest)
    covariances = covariances + full_einsum("kdm,m,kem->kde", gains, variances, gains)
    covariances = 0.5 * (covariances + jnp.swapaxes(covariances, 1, 2))
    # A component that y excludes keeps the least weight there is, as a mixture's weights are positive.
    weights = jnp.maximum(weights, jnp.finfo(weights.dtype).tiny)
    return GaussianMixture(sde=prior.sde, weights=weights, means=means, covariances=covariances)


def log_evidence(prior: Any, measurement: Measurement) -> Array:
    """log p(y) = log sum_k w_k N(y; A m_k, A C_k A^T + noise), in nats; for what ``posterior`` serves."""
    return jax.nn.logsumexp(_laws(prior, *_linear(measurement)).log_joint)


def _laws(prior: Any, rows: Array, y: Array, variances: Array) -> _Laws:
    means = flatten(_means(prior))
    if hasattr(prior, "stds"):
        crossed = jnp.square(prior.stds)[:, None, None] * rows
    else:
        crossed = full_matmul(rows, _covariances(prior))
    covariances = full_matmul(crossed, rows.T) + jnp.diag(variances)
    residual = y - full_matmul(means, rows.T)
    solved = jnp.linalg.solve(covariances, residual[..., None])[..., 0]
    log_norm = jnp.linalg.slogdet(2 * jnp.pi * covariances)[1]
    log_density = -0.5 * (jnp.sum(residual * solved, axis=-1) + log_norm)
    return _Laws(_log_weights(prior) + log_density, residual, covariances, crossed)


def _linear(measurement: Measurement) -> tuple[Array, Array, Array]:
    """A as a matrix, y and the noise's variances, flattened."""
    operator, noise = require_linear("posterior", measurement.operator), measurement.noise
    if not hasattr(noise, "std"):
        raise InputError("posterior for noise", type(noise).__name__, "GaussianNoise", "draw with TwistedSMC")
    if measurement.y.shape[0] != 1:
        raise InputError("posterior for measurement.y", measurement.y.shape, "one measurement, of batch 1")
    y = measurement.y.ravel()
    units = jnp.eye(y.size, dtype=y.dtype).reshape(y.size, *operator.measured_shape)
    rows = flatten(operator.adjoint(units))
    return rows, y, jnp.broadcast_to(noise.variance(measurement.y), measurement.y.shape).ravel()


def _means(prior: Any) -> Array:
    if hasattr(prior, "means"):
        return prior.means
    if hasattr(prior, "covariance"):
        return prior.mean[None]
    expected = "a Gaussian, GaussianMixture or IsotropicMixture"
    raise InputError("posterior for prior", type(prior).__name__, expected, "others have no closed form")


def _covariances(prior: Any) -> Array:
    return prior.covariances if hasattr(prior, "covariances") else prior.covariance[None]


def _log_weights(prior: Any) -> Array:
    return jnp.log(prior.weights) if hasattr(prior, "weights") else jnp.zeros(1, prior.mean.dtype)
