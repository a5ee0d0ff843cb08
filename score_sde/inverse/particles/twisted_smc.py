"""Twisted sequential Monte Carlo."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.denoisers.base import Denoiser
from score_sde.inverse.base import Measurement
from score_sde.inverse.particles.base import (
    Cloud,
    Kernel,
    ParticleFilter,
    Twist,
    Twisted,
    log_shift_ratio,
)
from score_sde.inverse.particles.twists import IsotropicTwist
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class TwistedSMC(ParticleFilter):
    """The twisted diffusion sampler (Wu et al. 2023, algorithm 1), on any Gaussian SDE.

    A step moves by c_0 (guided - D) and the twist's noise; weights gain p(x_s | x_t) twist_s / (q(x_s | x_t)
    twist_t), and at t = 0 the twist is the likelihood. So the law of the weighted particles tends to the
    chain's own posterior as they grow, whatever the twist, and the evidence is right on average at any
    number of them: the chain's own, which is that of the data for N(m, ``data_std``^2 I), as each component
    of the posterior league has it. Elsewhere the chain's error, often some tenths of a nat in 100 steps, is
    in it; it falls as steps grow, and more particles do not help.

    Attributes:
        twist: ``CovarianceTwist()``, ``IsotropicTwist()``, ``PointTwist()`` or ``NoTwist()``.
    """

    twist: Twist = IsotropicTwist()

    def check(self, model: Denoiser, measurement: Measurement) -> None:
        """Raise for an operator or noise that the twist cannot serve."""
        del model
        self.twist.check(measurement)

    def begin(
        self, model: Denoiser, measurement: Measurement, x: Batch, t: Array, cond: Condition
    ) -> tuple[Any, PerExample]:
        """The twist at x_T."""
        twisted = self._twisted(model, measurement, x, t, cond)
        return twisted, twisted.log_value

    def move(
        self,
        key: Key,
        model: Denoiser,
        measurement: Measurement,
        cloud: Cloud,
        t: Array,
        s: Array,
        cond: Condition,
    ) -> tuple[Batch, Any, PerExample]:
        """A guided step, and the twist where it led."""
        kernel, before = self.kernel(model.sde, t, s), cloud.memory
        x, ratio = self._step(key, measurement, kernel, cloud.x, before)
        after = self._twisted(model, measurement, x, s, cond)
        return x, after, ratio + after.log_value - before.log_value

    def finish(
        self, key: Key, model: Denoiser, measurement: Measurement, cloud: Cloud, t: Array, cond: Condition
    ) -> tuple[Batch, PerExample]:
        """The last step, and the likelihood in the twist's place."""
        kernel = self.kernel(model.sde, t, jnp.zeros_like(t))
        x, ratio = self._step(key, measurement, kernel, cloud.x, cloud.memory)
        return x, ratio + measurement.log_likelihood(x) - cloud.memory.log_value

    def _twisted(
        self, model: Denoiser, measurement: Measurement, x: Batch, t: Array, cond: Condition
    ) -> Twisted:
        spread = self.spread(model.sde, t)
        return self.evaluated(lambda x, cond: self.twist(model, measurement, x, t, spread, cond), x, cond)

    def _step(
        self, key: Key, measurement: Measurement, kernel: Kernel, x: Batch, twisted: Twisted
    ) -> tuple[Batch, PerExample]:
        noise, ratio = self.twist.draw(key, measurement, kernel, x)
        moves = kernel.variance > 0  # a step without noise is the prior's own: it cannot be guided
        shift = jnp.where(moves, kernel.c_0 * (twisted.guided - twisted.denoised), 0)
        ratio = ratio + log_shift_ratio(noise, shift, jnp.where(moves, kernel.variance, 1))
        return kernel.c_x * x + kernel.c_0 * twisted.denoised + shift + noise, ratio
