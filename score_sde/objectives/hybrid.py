"""The hybrid loss of networks that learn the variances of the reverse chain."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.arrays import expand, mean_per_example
from score_sde.errors import InputError
from score_sde.objectives.base import Objective
from score_sde.objectives.discretized import discretized_log_prob
from score_sde.pytree import static
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class HybridLoss(Objective):
    """E |noise - z|^2 + weight * bound at labels drawn uniformly from 0 .. N - 1, means over dimensions.

    The bound is the step's term of the variational one, in bits per dimension (Nichol and Dhariwal 2021,
    eq. 4-6 and 16): KL of q(x_s | x_t, x_0) from p(x_s | x_t), and at label 0 minus the log probability of
    x_0 itself. It teaches the variances alone: no gradient goes through the mean. For a
    ``LearnedRange`` over a ``DiscreteVP`` of as many steps, data of ``levels`` values from -1 to 1.

    Attributes:
        steps: N.
        weight: the paper's lambda N, 0.001 * 1000.
        levels: of the data.
    """

    steps: int = static(1000)
    weight: float = 1.0
    levels: int = static(256)

    def __post_init__(self) -> None:
        for name in ("steps", "levels"):
            if getattr(self, name) < 2:
                raise InputError(f"HybridLoss.{name}", getattr(self, name), "at least 2", "raise it")

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example at one random label with one draw of noise."""
        label_key, noise_key, model_key = jax.random.split(key, 3)
        label = jax.random.randint(label_key, x0.shape[:1], 0, self.steps)
        return self.at(model, x0, label, arrays.normal_like(noise_key, x0), cond, key=model_key)

    def at(
        self,
        model: Any,
        x0: Batch,
        label: Array,
        z: Batch,
        cond: Condition = None,
        *,
        key: Key | None = None,
    ) -> PerExample:
        """Loss of each example at given labels and noise."""
        simple, bound = self.parts(model, x0, label, z, cond, key=key)
        return simple + self.weight * bound

    def parts(
        self,
        model: Any,
        x0: Batch,
        label: Array,
        z: Batch,
        cond: Condition = None,
        *,
        key: Key | None = None,
    ) -> tuple[PerExample, PerExample]:
        """The squared error, and the bound's term in bits per dimension."""
        sde = model.sde
        t = self._time(sde, label + 1, x0)
        x = expand(sde.alpha(t), x0) * x0 + expand(sde.sigma(t), x0) * z
        estimate, share = model.estimate_with_range(x, t, cond, key=key)
        simple = mean_per_example(jnp.square(estimate.noise - z))
        bound = self._bound(sde, label, x0, jax.lax.stop_gradient(estimate.denoised), share)
        return simple, mean_per_example(bound) / math.log(2)

    def _bound(self, sde: GaussianSDE, label: Array, x0: Batch, denoised: Batch, share: Batch) -> Batch:
        """The term of each dimension in nats."""
        t, s = self._time(sde, label + 1, x0), self._time(sde, label, x0)
        bridge = sde.bridge(t, s)
        # The first step's bridge has no variance: it is lent that of the second.
        first = sde.bridge(*(self._time(sde, jnp.array(i), x0) for i in (2, 1)))
        low = 2 * jnp.log(jnp.where(label == 0, first.std, bridge.std))
        high = 2 * jnp.log(sde.transition(t, s).std)
        low, high = expand(low, x0), expand(high, x0)
        log_variance = share * high + (1 - share) * low
        square = jnp.square(expand(bridge.c_0, x0) * (x0 - denoised))
        divergence = _normal_divergence(square, low, log_variance)
        decoded = -discretized_log_prob(x0, denoised, 0.5 * log_variance, self.levels)
        return jnp.where(expand(label == 0, x0), decoded, divergence)

    def _time(self, sde: GaussianSDE, count: Array, like: Batch) -> Array:
        return (count * (sde.T / self.steps)).astype(like.dtype)


def _normal_divergence(square: Array, log_variance: Array, other: Array) -> Array:
    """KL(N(m, v) | N(m', v')) in nats from (m - m')^2, log v and log v'."""
    ratio = log_variance - other
    return 0.5 * (jnp.expm1(ratio) - ratio + square * jnp.exp(-other))
