"""Decoders p(x | z) from the least noisy state to the data."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.arrays import expand, sum_per_example
from score_sde.likelihood.base import Decoder
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, PerExample, Time


class NormalDecoder(Decoder):
    """N(x; D(z, t), (sigma / alpha)^2 I): one step of denoising, for real-valued data.

    Song et al. 2021, "Maximum likelihood training of score-based diffusion models".
    """

    def log_prob(self, sde: GaussianSDE, x: Batch, z: Batch, noise: Batch, t: Time) -> PerExample:
        """-|x - D|^2 / (2 r^2) - d log(2 pi r^2) / 2, r = sigma / alpha, D = (z - sigma noise) / alpha."""
        alpha, sigma = expand(sde.alpha(t), x), expand(sde.sigma(t), x)
        residual = (alpha * x - z) / sigma + noise  # (x - D) / r as noises, which loses no digits
        log_norm = jnp.log(sigma / alpha) + 0.5 * math.log(2 * math.pi)
        return sum_per_example(-0.5 * jnp.square(residual) - log_norm)


class LevelDecoder(Decoder):
    """P(x | z) = prod_i N(z_i; alpha x_i, sigma^2) / sum_v N(z_i; alpha v, sigma^2), v over all levels.

    Kingma et al. 2021, "Variational diffusion models". Probabilities of all values sum to one
    whatever z is.

    Attributes:
        values: the levels in model space, (levels,); every value of x is one of them.
    """

    values: Array

    def log_prob(self, sde: GaussianSDE, x: Batch, z: Batch, noise: Batch, t: Time) -> PerExample:
        """Sum over dimensions, a level at a time: no array of all levels of all values is made."""
        del noise
        alpha, sigma = expand(sde.alpha(t), x), expand(sde.sigma(t), x)

        def exponent(value: Array) -> Array:
            return -0.5 * jnp.square((z - alpha * value) / sigma)

        def add(total: Array, value: Array) -> tuple[Array, None]:
            return jnp.logaddexp(total, exponent(value)), None

        values: Any = jnp.asarray(self.values, x.dtype)
        total, _ = jax.lax.scan(add, jnp.full_like(z, -jnp.inf), values)
        return sum_per_example(exponent(x) - total)
