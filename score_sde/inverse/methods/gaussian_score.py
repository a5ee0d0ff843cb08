"""The Gaussian score of score-based data assimilation."""

from __future__ import annotations

from abc import ABC, abstractmethod

import jax.numpy as jnp

from score_sde.arrays import expand
from score_sde.errors import InputError
from score_sde.inverse.base import Measurement, require_linear
from score_sde.inverse.methods.gradient import GradientMethod, Local
from score_sde.inverse.methods.residuals import linearised, weighted_adjoint
from score_sde.pytree import Pytree
from score_sde.typing import Array, Batch


class Spread(Pytree, ABC):
    """How the uncertainty of x_0 given x_t is seen in y."""

    def check(self, measurement: Measurement) -> None:
        """Raise InputError for an operator that cannot be served."""
        del measurement

    @abstractmethod
    def pull(self, measurement: Measurement, mean: Batch, signal: Array, noise: Array) -> Batch:
        """A^T (signal spread + noise)^-1 (y - A mean)."""


class ProjectedSpread(Spread):
    """A A^T: all directions of x_0 equally uncertain. For linear operators."""

    def check(self, measurement: Measurement) -> None:
        """The operator is linear."""
        remedy = "GaussianScore with ProjectedSpread (WhiteSpread takes any)"
        require_linear(remedy, measurement.operator)

    def pull(self, measurement: Measurement, mean: Batch, signal: Array, noise: Array) -> Batch:
        """A^T (signal A A^T + noise)^-1 (y - A mean)."""
        return weighted_adjoint(measurement.operator, measurement.residual(mean), signal, noise)


class WhiteSpread(Spread):
    """I: all values of y equally uncertain, the paper's choice. For any differentiable operator."""

    def pull(self, measurement: Measurement, mean: Batch, signal: Array, noise: Array) -> Batch:
        """A'^T (y - A(mean)) / (signal + noise), A' the derivative at the mean."""
        value, _, adjoint = linearised(measurement.operator, mean)
        total = jnp.broadcast_to(expand(signal, value) + expand(noise, value), value.shape)
        scaled = (measurement.y - value) / jnp.where(total > 0, total, 1)
        return adjoint(jnp.where(total > 0, scaled, 0))


class GaussianScore(GradientMethod):
    """p(y | x_t) as N(y; A D, noise + gamma sigma^2 / alpha^2 A A^T).

    Rozet and Louppe 2023, "Score-based data assimilation", eq. 15, algorithm 3. It equals PiGDM with
    r_t^2 = gamma sigma^2 / alpha^2, which does not end at the data's own variance where sigma is large: the
    measurement is heard later than it could be, so that draws are too wide in what y tells, and gamma
    trades this bias for stability. Exact for no law; nearly so for data much wider than sigma / alpha.

    Attributes:
        gamma: variance of x_0 given x_t, relative to sigma^2 / alpha^2.
        spread: ``ProjectedSpread()``, or ``WhiteSpread()`` for I instead of A A^T and for any operator.
    """

    gamma: float = 1.0
    spread: Spread = ProjectedSpread()

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise InputError("GaussianScore.gamma", self.gamma, "a positive number", "the paper takes 0.01")

    def check(self, measurement: Measurement) -> None:
        """What the spread asks for."""
        self.spread.check(measurement)

    def pull(self, measurement: Measurement, local: Local) -> Batch:
        """alpha^2 A^T (gamma sigma^2 A A^T + alpha^2 noise)^-1 (y - A D): finite where alpha = 0."""
        square = jnp.square(local.sde.alpha(local.t))
        noise = measurement.noise.variance(measurement.y)
        scaled = (expand(square, noise) if jnp.ndim(noise) > 1 else square) * noise
        pulled = self.spread.pull(measurement, local.mean, self.gamma * local.sde.variance(local.t), scaled)
        return expand(square, pulled) * pulled
