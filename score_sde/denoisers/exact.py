"""Denoisers in closed form: Gaussian, Gaussian mixture and empirical data laws.

They are the oracles against which samplers, likelihoods and objectives are measured, and the models
with which a researcher tries an idea before training anything.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.arrays import expand, flatten, per_example
from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.errors import InputError
from score_sde.products import full_matmul
from score_sde.pytree import derived
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time


class Gaussian(Denoiser):
    """Data law N(mean, covariance), so that x_t ~ N(alpha mean, alpha^2 covariance + sigma^2 I).

    D = mean + alpha C (alpha^2 C + sigma^2 I)^-1 (x - alpha mean), computed in the eigenbasis of C.
    Finite on all of [0, T] if C has full rank.

    Attributes:
        mean: shape of one example.
        covariance: (dimensions, dimensions) over the flattened example.
    """

    mean: Array
    covariance: Array
    variances: Array = derived()  # eigenvalues of the covariance, (dimensions,)
    axes: Array = derived()  # its eigenvectors in columns

    def __post_init__(self) -> None:
        mean, covariance = _floating(self.mean), _floating(self.covariance)
        _require_shape("Gaussian.covariance", covariance, (mean.size, mean.size))
        variances, axes = _eigen("Gaussian.covariance", covariance)
        _set(self, mean=mean, covariance=covariance, variances=variances, axes=axes)

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """E[x_0 | x_t = x]."""
        return self.estimate(x, t, cond, key=key).denoised

    def estimate(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Estimate:
        """All conventions; the score is finite where sigma = 0, the denoised mean where alpha = 0."""
        del cond, key
        parts = self._component(x, t)
        return self.from_score(t, parts.denoised.reshape(x.shape), parts.score.reshape(x.shape))

    def log_prob(self, x: Batch, t: Time) -> PerExample:
        """log p_t(x) of each example, in nats."""
        return self._component(x, t).log_prob

    def sample(self, key: Key, n: int) -> Batch:
        """``n`` draws of x_0."""
        return _draw(key, n, self.mean, self.variances, self.axes)

    def _component(self, x: Batch, t: Time) -> _Component:
        alpha, variance = _coefficients(self.sde, x, t)
        return _condition(flatten(x), alpha, variance, self.mean.ravel(), self.variances, self.axes)


class GaussianMixture(Denoiser):
    """Data law sum_k w_k N(means_k, covariances_k).

    The posterior over components given x_t has log weights log w_k + log N(x; alpha m_k, alpha^2 C_k +
    sigma^2 I) up to a constant; score and denoised mean are averages of the components' under it.

    Attributes:
        weights: (components,), positive; divided by their sum.
        means: (components, *event).
        covariances: (components, dimensions, dimensions) over the flattened example.
    """

    weights: Array
    means: Array
    covariances: Array
    variances: Array = derived()  # (components, dimensions)
    axes: Array = derived()  # (components, dimensions, dimensions), eigenvectors in columns

    def __post_init__(self) -> None:
        weights, means, covariances = map(_floating, (self.weights, self.means, self.covariances))
        _require_shape("GaussianMixture.weights", weights, means.shape[:1])
        _require_weights("GaussianMixture.weights", weights)
        dimensions = means[0].size
        _require_shape("GaussianMixture.covariances", covariances, (means.shape[0], dimensions, dimensions))
        variances, axes = _eigen("GaussianMixture.covariances", covariances)
        weights = weights / jnp.sum(weights)
        _set(self, weights=weights, means=means, covariances=covariances, variances=variances, axes=axes)

    @classmethod
    def isotropic(cls, *, sde: GaussianSDE, weights: Any, means: Any, stds: Any) -> GaussianMixture:
        """Components N(means_k, stds_k^2 I); ``stds`` is (components,) or one number for all."""
        means = _floating(means)
        scales = jnp.broadcast_to(jnp.square(_floating(stds)), means.shape[:1])
        covariances = scales[:, None, None] * jnp.eye(means[0].size, dtype=means.dtype)
        return cls(sde=sde, weights=weights, means=means, covariances=covariances)

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """E[x_0 | x_t = x]."""
        return self.estimate(x, t, cond, key=key).denoised

    def estimate(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Estimate:
        """All conventions; the score is finite where sigma = 0, the denoised mean where alpha = 0."""
        del cond, key
        parts = self._components(x, t)
        posterior = jax.nn.softmax(parts.log_prob, axis=0)[..., None]
        denoised = jnp.sum(posterior * parts.denoised, axis=0).reshape(x.shape)
        score = jnp.sum(posterior * parts.score, axis=0).reshape(x.shape)
        return self.from_score(t, denoised, score)

    def posterior(self, x: Batch, t: Time) -> Array:
        """Probability of each component given x_t = x, (batch, components)."""
        return jax.nn.softmax(self._components(x, t).log_prob, axis=0).T

    def log_prob(self, x: Batch, t: Time) -> PerExample:
        """log p_t(x) of each example, in nats."""
        return jax.nn.logsumexp(self._components(x, t).log_prob, axis=0)

    def sample(self, key: Key, n: int) -> Batch:
        """``n`` draws of x_0."""
        pick, draw = jax.random.split(key)
        k = jax.random.choice(pick, self.weights.shape[0], (n,), p=self.weights)
        keys = jax.random.split(draw, n)
        one = jax.vmap(lambda key, mean, variances, axes: _draw(key, 1, mean, variances, axes)[0])
        return one(keys, self.means[k], self.variances[k], self.axes[k])

    def _components(self, x: Batch, t: Time) -> _Component:
        """Each component given x_t, with log w_k in its log probability; leading axis components."""
        alpha, variance = _coefficients(self.sde, x, t)
        condition = jax.vmap(_condition, in_axes=(None, None, None, 0, 0, 0))
        parts = condition(flatten(x), alpha, variance, flatten(self.means), self.variances, self.axes)
        return parts._replace(log_prob=parts.log_prob + jnp.log(self.weights)[:, None])


class Empirical(Denoiser):
    """Data law (1/N) sum_i delta(x - data_i): the denoiser that a perfect network overfits to.

    D = sum_i w_i data_i with w = softmax(-|x - alpha data_i|^2 / (2 sigma^2)) (Karras et al. 2022,
    eq. 57). Where sigma = 0 this law has no density: D is the nearest example there, while score,
    noise and velocity do not exist.

    Attributes:
        data: (N, *event).
    """

    data: Array

    def __post_init__(self) -> None:
        _set(self, data=_floating(self.data))

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """E[x_0 | x_t = x]: a mean of the examples weighted by their likelihood."""
        del cond, key
        alpha, variance = _coefficients(self.sde, x, t)
        squares = self._square_distances(x, alpha)
        excess = squares - jnp.min(squares, axis=1, keepdims=True)
        # The smallest normal number stands for zero: the limit sigma -> 0 picks the nearest example.
        divisor = 2 * jnp.maximum(variance, jnp.finfo(variance.dtype).tiny)
        weights = jax.nn.softmax(-excess / divisor[:, None], axis=1)
        return full_matmul(weights, flatten(self.data)).reshape(x.shape)

    def log_prob(self, x: Batch, t: Time) -> PerExample:
        """log p_t(x) of each example, in nats, for sigma(t) > 0."""
        alpha, variance = _coefficients(self.sde, x, t)
        exponents = -0.5 * self._square_distances(x, alpha) / variance[:, None]
        log_norm = 0.5 * self.data[0].size * jnp.log(2 * jnp.pi * variance)
        return jax.nn.logsumexp(exponents, axis=1) - log_norm - jnp.log(self.data.shape[0])

    def sample(self, key: Key, n: int) -> Batch:
        """``n`` draws from the examples, with replacement."""
        return self.data[jax.random.choice(key, self.data.shape[0], (n,))]

    def _square_distances(self, x: Batch, alpha: PerExample) -> Array:
        # Differences first: |x|^2 - 2 x.y + |y|^2 would lose every digit at small sigma.
        scaled = alpha[:, None, None] * flatten(self.data)
        return jnp.sum(jnp.square(flatten(x)[:, None, :] - scaled), axis=-1)


class _Component(NamedTuple):
    """One Gaussian seen from x_t, in flattened coordinates."""

    denoised: Array
    score: Array
    log_prob: Array


def _condition(
    rows: Array, alpha: Array, variance: Array, mean: Array, variances: Array, axes: Array
) -> _Component:
    alpha, variance = expand(alpha, rows), expand(variance, rows)
    total = jnp.square(alpha) * variances + variance  # of x_t along each axis
    offset = full_matmul(rows - alpha * mean, axes)
    score = -full_matmul(offset / total, axes.T)
    denoised = mean + full_matmul(alpha * variances / total * offset, axes.T)
    log_prob = -0.5 * jnp.sum(jnp.square(offset) / total + jnp.log(2 * jnp.pi * total), axis=-1)
    return _Component(denoised, score, log_prob)


def _coefficients(sde: GaussianSDE, x: Batch, t: Time) -> tuple[PerExample, PerExample]:
    times = per_example(t, x)
    return sde.alpha(times), sde.variance(times)


def _draw(key: Key, n: int, mean: Array, variances: Array, axes: Array) -> Batch:
    z = jax.random.normal(key, (n, variances.size), mean.dtype)
    return mean + full_matmul(z * jnp.sqrt(variances), axes.T).reshape(n, *mean.shape)


def _eigen(where: str, covariance: Array) -> tuple[Array, Array]:
    variances, axes = jnp.linalg.eigh(covariance)
    if not isinstance(covariance, jax.core.Tracer):
        scale = float(jnp.max(jnp.abs(covariance)))
        skew = float(jnp.max(jnp.abs(covariance - jnp.swapaxes(covariance, -1, -2))))
        lowest = float(jnp.min(variances))
        rounding = float(jnp.finfo(covariance.dtype).eps) * covariance.shape[-1] * scale
        if not (skew <= 1e-4 * scale and lowest >= -100 * rounding):
            expected = "a symmetric matrix without negative eigenvalues"
            raise InputError(where, lowest, expected, "this is its smallest eigenvalue")
    return jnp.maximum(variances, 0), axes


def _floating(values: Any) -> Array:
    if not isinstance(values, jax.Array):
        values = np.asarray(values)
    return jnp.asarray(values, dtype=jnp.result_type(values, float))


def _set(tree: Any, **fields: Array) -> None:
    for name, value in fields.items():
        object.__setattr__(tree, name, value)


def _require_shape(where: str, values: Array, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise InputError(where, values.shape, f"the shape {shape}", "it must fit the means")


def _require_weights(where: str, weights: Array) -> None:
    if not isinstance(weights, jax.core.Tracer) and not bool(jnp.all(weights > 0)):
        raise InputError(where, weights.tolist(), "positive numbers", "leave out components of weight 0")
