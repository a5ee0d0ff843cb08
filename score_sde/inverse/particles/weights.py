"""Weights of particles, in logarithms."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.typing import Array, Key


def normalized(log_weights: Array) -> tuple[Array, Array]:
    """Log weights whose exponentials sum to one, and the log of the sum that they had.

    NaN counts as a weight of zero. Where all are zero, all become equal: a filter that lost every particle
    goes on, with an evidence of zero.
    """
    log_weights = jnp.where(jnp.isnan(log_weights), -jnp.inf, log_weights)
    total = jax.nn.logsumexp(log_weights)
    uniform = jnp.full_like(log_weights, -jnp.log(log_weights.shape[0]))
    return jnp.where(jnp.isfinite(total), log_weights - total, uniform), total


def effective_sample_size(log_weights: Array) -> Array:
    """(sum w)^2 / sum w^2, between one and their number (Kong et al. 1994)."""
    return jnp.exp(2 * jax.nn.logsumexp(log_weights) - jax.nn.logsumexp(2 * log_weights))


def systematic(key: Key, log_weights: Array, n: int) -> Array:
    """Indices of ``n`` draws by weight: i as often as n w_i, rounded up or down, on average exactly.

    One uniform number, and the quantiles at (u + k) / n (Kitagawa 1996; Carpenter et al. 1999).
    """
    edges = jnp.cumsum(jnp.exp(log_weights - jnp.max(log_weights)))
    places = (jax.random.uniform(key, dtype=edges.dtype) + jnp.arange(n)) / n
    picked = jnp.searchsorted(edges, places * edges[-1], side="right")
    return jnp.minimum(picked, log_weights.shape[0] - 1)
