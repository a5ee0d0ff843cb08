"""A mixture of round Gaussians that stays cheap in many dimensions."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.arrays import expand, flatten, per_example
from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.errors import InputError
from score_sde.products import full_matmul
from score_sde.pytree import derived
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time


class IsotropicMixture(Denoiser):
    """Data law sum_k w_k N(means_k, stds_k^2 I), seen in the span of its means.

    ``GaussianMixture.isotropic`` in O(d r + K r) instead of O(K d^2) an example, where r < K is the rank of
    the means about their mean: components differ only inside their span, so that distances are taken there
    (no cancellation of large squares) and all that is outside is one length.

    Attributes:
        weights: (components,), positive; divided by their sum.
        means: (components, *event).
        stds: (components,) or one number for all, positive.

    Raises:
        InputError: weights or stds that are not positive, or of another length than the means.
    """

    weights: Array
    means: Array
    stds: Array | float = 1.0
    center: Array = derived()  # mean of the means, (dimensions,)
    basis: Array = derived()  # (dimensions, r), orthonormal, spans the means about their mean
    places: Array = derived()  # the means in it, (components, r)

    def __post_init__(self) -> None:
        weights, means = np.asarray(self.weights, np.float64), np.asarray(self.means, np.float64)
        _require_positive("IsotropicMixture.weights", weights, means.shape[:1])
        stds = np.broadcast_to(np.asarray(self.stds, np.float64), means.shape[:1])
        _require_positive("IsotropicMixture.stds", stds, means.shape[:1])
        rows = means.reshape(len(means), -1)
        center = rows.mean(axis=0)
        basis = _span(rows - center)
        found = {
            "weights": weights / weights.sum(),
            "means": means,
            "stds": stds,
            "center": center,
            "basis": basis,
            "places": (rows - center) @ basis,
        }
        for name, value in found.items():
            object.__setattr__(self, name, jnp.asarray(value, jnp.result_type(float)))

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """E[x_0 | x_t = x]."""
        return self.estimate(x, t, cond, key=key).denoised

    def estimate(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Estimate:
        """All conventions; the score is finite where sigma = 0, the denoised mean where alpha = 0."""
        del cond, key
        parts = self._parts(x, t)
        posterior = jax.nn.softmax(parts.log_joint, axis=1)
        score = -self._mean_offset(x, parts.alpha, posterior / parts.total)
        gains = posterior * jnp.square(self.stds) / parts.total
        mean = self.center + full_matmul(full_matmul(posterior, self.places), self.basis.T)  # E[m_k | x_t]
        denoised = mean + parts.alpha * self._mean_offset(x, parts.alpha, gains)
        return self.from_score(t, denoised.reshape(x.shape), score.reshape(x.shape))

    def posterior(self, x: Batch, t: Time) -> Array:
        """Probability of each component given x_t = x, (batch, components)."""
        return jax.nn.softmax(self._parts(x, t).log_joint, axis=1)

    def log_prob(self, x: Batch, t: Time) -> PerExample:
        """log p_t(x) of each example, in nats."""
        return jax.nn.logsumexp(self._parts(x, t).log_joint, axis=1)

    def sample(self, key: Key, n: int) -> Batch:
        """``n`` draws of x_0."""
        pick, draw = jax.random.split(key)
        k = jax.random.choice(pick, self.weights.shape[0], (n,), p=self.weights)
        z = jax.random.normal(draw, (n, *self.means.shape[1:]), self.means.dtype)
        return self.means[k] + expand(jnp.asarray(self.stds)[k], z) * z

    def _parts(self, x: Batch, t: Time) -> _Parts:
        times = per_example(t, x)
        alpha, variance = self.sde.alpha(times)[:, None], self.sde.variance(times)[:, None]
        offset = flatten(x) - alpha * self.center
        seen = full_matmul(offset, self.basis)
        outside = jnp.sum(jnp.square(offset - full_matmul(seen, self.basis.T)), axis=1, keepdims=True)
        inside = jnp.sum(jnp.square(seen[:, None, :] - alpha[..., None] * self.places), axis=-1)
        total = jnp.square(alpha * self.stds) + variance  # of x_t in each component
        log_norm = 0.5 * offset.shape[1] * jnp.log(2 * jnp.pi * total)
        log_joint = jnp.log(self.weights) - 0.5 * (outside + inside) / total - log_norm
        return _Parts(alpha, total, log_joint)

    def _mean_offset(self, x: Batch, alpha: Array, shares: Array) -> Array:
        """sum_k shares_k (x - alpha m_k)."""
        offset = flatten(x) - alpha * self.center
        inside = full_matmul(full_matmul(shares, self.places), self.basis.T)
        return jnp.sum(shares, axis=1, keepdims=True) * offset - alpha * inside


class _Parts(NamedTuple):
    alpha: Array  # (batch, 1)
    total: Array  # (batch, components)
    log_joint: Array  # log w_k N(x; alpha m_k, total_k I)


def _span(rows: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the rows, (dimensions, rank)."""
    _, values, axes = np.linalg.svd(rows, full_matrices=False)
    rank = int(np.sum(values > values.max(initial=0) * max(rows.shape) * np.finfo(np.float64).eps))
    return axes[:rank].T


def _require_positive(where: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise InputError(where, values.shape, f"the shape {shape}", "it must fit the means")
    if not np.all(values > 0):
        raise InputError(where, values.tolist(), "positive numbers", "leave out components of weight 0")
