"""The probability of a level under a Gaussian, as DDPM's decoder and its successors compute it."""

from __future__ import annotations

import math

import jax.numpy as jnp

from score_sde.typing import Array

LEAST = 1e-12  # probabilities are not let below, as published


def discretized_log_prob(x: Array, mean: Array, log_std: Array, levels: int) -> Array:
    """log of the mass that N(mean, std^2) puts on the cell of ``x``, in nats; the shape of ``x``.

    ``x`` is one of ``levels`` values evenly spaced from -1 to 1; its cell reaches half way to its
    neighbours, and to infinity at the ends (Ho et al. 2020, eq. 13).
    """
    half = 1 / (levels - 1)
    above = normal_cdf(jnp.exp(-log_std) * (x - mean + half))
    below = normal_cdf(jnp.exp(-log_std) * (x - mean - half))
    edge = 1 - 0.25 * half  # the first and the last level, whatever rounding did to them
    mass = jnp.where(x < -edge, above, jnp.where(x > edge, 1 - below, above - below))
    return jnp.log(jnp.maximum(mass, LEAST))


def normal_cdf(x: Array) -> Array:
    """(1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2: the standard normal's to 4e-4, as published."""
    return 0.5 * (1 + jnp.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
