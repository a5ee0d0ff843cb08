"""The bound of variational diffusion models on integer data."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde.arrays import expand, sum_per_example
from score_sde.dequantization import Units
from score_sde.likelihood.base import Decoder, LogProb, Method
from score_sde.likelihood.diffusion_bound import DiffusionBound
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time


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


class LevelBound(Method):
    """log P(raw) by ``DiffusionBound`` with a decoder over the levels: no dequantisation.

    Kingma et al. 2021, "Variational diffusion models". For models that were trained on the levels
    themselves (``Rescaled``); one that was trained on dequantised data is told of points between the
    levels, which costs it bits.

    Attributes:
        bound: its decoder is replaced by one over the levels of the data. ``t_min`` should be where
            neighbouring levels are still told apart: sigma / alpha a sixth of their distance or less.
    """

    bound: DiffusionBound = DiffusionBound()

    @property
    def statement(self) -> str:
        """What the number is."""
        return "lower bound on the log probability of the levels"

    def __call__(
        self,
        key: Key,
        model: Any,
        raw: Array,
        units: Units,
        cond: Condition = None,
        *,
        model_key: Key | None = None,
    ) -> LogProb:
        """Nats of each example; parts as ``DiffusionBound``'s."""
        values = units.level_values
        bound = self.bound.replace(decoder=LevelDecoder(values=values))
        return bound(key, model, values[raw.astype(int)], cond, model_key=model_key)
