"""MeanFlow: the mean velocity over a step, learnt through its derivative."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.arrays import expand, per_example
from score_sde.denoisers.ends import ending
from score_sde.errors import InputError
from score_sde.objectives.base import Objective, Times
from score_sde.objectives.times import LogitNormal
from score_sde.pytree import Pytree, static
from score_sde.sdes.checks import require_positive
from score_sde.typing import Batch, Condition, Key, PerExample, Time


class PathVelocity(Pytree, ABC):
    """The velocity that x_t moves with, or an estimate of it without bias."""

    @abstractmethod
    def __call__(self, sde: Any, x: Batch, t: PerExample, x0: Batch, z: Batch, cond: Condition) -> Batch:
        """dx_t / dt at x = alpha x_0 + sigma z."""


class ConditionalVelocity(PathVelocity):
    """alpha' x_0 + sigma' z: that of one example's own path, whose mean given x_t is the flow's."""

    def __call__(self, sde: Any, x: Batch, t: PerExample, x0: Batch, z: Batch, cond: Condition) -> Batch:
        """From the rates of the SDE."""
        del x, cond
        return expand(sde.alpha_rate(t), z) * x0 + expand(sde.sigma_rate(t), z) * z


class TeacherVelocity(PathVelocity):
    """That of a trained model, which has no variance: distillation instead of training."""

    teacher: Any

    def __call__(self, sde: Any, x: Batch, t: PerExample, x0: Batch, z: Batch, cond: Condition) -> Batch:
        """The teacher's probability-flow drift."""
        del sde, x0, z
        return self.teacher.velocity(x, t, cond)


class MeanFlow(Objective):
    """E |u - target|^2 / (|u - target|^2 + c)^p, target = v - (t - s) du/dt along the path, held fixed.

    u(x_t, t, s) = (x_t - x_s) / (t - s) of the probability flow obeys u = v - (t - s) du/dt, with
    du/dt = v . grad_x u + d_t u at fixed s (Geng et al. 2025, eq. 6-11); the denominator is held fixed too
    (eq. 22). For a ``denoisers.AverageVelocity`` of any Gaussian SDE: nothing in it asks for straight paths.

    Attributes:
        times: law of two times, the larger of which is t.
        apart: share of pairs with s < t; the rest have s = t, where this is flow matching.
        velocity: v.
        power: p; 0 for the square itself.
        softening: c.
        reduction: of the square over one example.
    """

    times: Times = LogitNormal(mean=-0.4, std=1.0)
    apart: float = 0.25
    velocity: PathVelocity = ConditionalVelocity()
    power: float = 1.0
    softening: float = 1e-3
    reduction: Callable[[Batch], PerExample] = static(arrays.sum_per_example)

    def __post_init__(self) -> None:
        if not 0 <= self.apart <= 1:
            raise InputError("MeanFlow.apart", self.apart, "a share from 0 to 1", "0.25 and 0.75 are usual")
        require_positive("MeanFlow.softening", self.softening)

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example at one random pair of times with one draw of noise."""
        first_key, second_key, apart_key, noise_key, model_key = jax.random.split(key, 5)
        n = x0.shape[0]
        first, second = (self.times(key, model.sde, n) for key in (first_key, second_key))
        t = jnp.maximum(first, second)
        apart = jax.random.bernoulli(apart_key, self.apart, (n,))
        s = jnp.where(apart, jnp.minimum(first, second), t)
        return self.at(model, x0, t, s, arrays.normal_like(noise_key, x0), cond, key=model_key)

    def at(
        self,
        model: Any,
        x0: Batch,
        t: Time,
        s: Time,
        z: Batch,
        cond: Condition = None,
        *,
        key: Key | None = None,
    ) -> PerExample:
        """Loss of each example for steps from t to s with given noise."""
        squares = self.reduction(jnp.square(self.residual(model, x0, t, s, z, cond, key=key)))
        return squares / (jax.lax.stop_gradient(squares) + self.softening) ** self.power

    def residual(
        self,
        model: Any,
        x0: Batch,
        t: Time,
        s: Time,
        z: Batch,
        cond: Condition = None,
        *,
        key: Key | None = None,
    ) -> Batch:
        """u - v + (t - s) du/dt, whose gradient is that of u alone."""
        t, s, sde = per_example(t, x0), per_example(s, x0), model.sde
        x = expand(sde.alpha(t), x0) * x0 + expand(sde.sigma(t), x0) * z
        v = self.velocity(sde, x, t, x0, z, cond)
        told = ending(cond, s)

        def mean_velocity(x: Batch, t: PerExample) -> Batch:
            return model.velocity(x, t, told, key=key)

        u, rate = jax.jvp(mean_velocity, (x, t), (v, jnp.ones_like(t)))
        return u - jax.lax.stop_gradient(v - expand(t - s, x) * rate)
