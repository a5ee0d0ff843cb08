"""Forward processes: the general SDE and the Gaussian ones that have a closed kernel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.arrays import expand, flatten
from score_sde.pytree import Pytree, static
from score_sde.typing import Array, Batch, Key, PerExample, Time


class Prior(Pytree, ABC):
    """The law of x_T that sampling starts from and likelihoods end in."""

    shape: tuple[int, ...] = static()  # (batch, *event)

    @abstractmethod
    def sample(self, key: Key) -> Batch:
        """Draw ``shape`` values."""

    @abstractmethod
    def log_prob(self, x: Batch) -> PerExample:
        """Log density of each example, in nats."""


class NormalPrior(Prior):
    """N(0, scale^2 I)."""

    scale: Array | float = 1.0

    def sample(self, key: Key) -> Batch:
        """Draw scale * z with z ~ N(0, I)."""
        return self.scale * arrays.normal_like(key, jnp.zeros(self.shape))

    def log_prob(self, x: Batch) -> PerExample:
        """-|x|^2 / (2 scale^2) - d/2 log(2 pi scale^2), in nats."""
        rows = flatten(x)
        log_norm = 0.5 * rows.shape[1] * jnp.log(2 * jnp.pi * jnp.square(self.scale))
        return -0.5 * jnp.sum(jnp.square(rows / self.scale), axis=1) - log_norm


class SDE(Pytree, ABC):
    """Forward process dx = f(x, t) dt + g(t) dw on t in [0, T] (Song et al. 2021, eq. 5).

    A process without a closed kernel writes these three methods and nothing else: it trains by
    sliced or implicit score matching on simulated paths, samples, and has a likelihood.
    Discretisation, grids and smallest times belong to samplers and objectives, never here.
    """

    T: float = static(1.0)

    @abstractmethod
    def drift(self, x: Batch, t: Time) -> Batch:
        """f(x, t), with ``t`` a scalar or one time per example."""

    @abstractmethod
    def diffusion(self, t: Time) -> Array:
        """g(t), with the shape of ``t``."""

    @abstractmethod
    def prior(self, shape: tuple[int, ...]) -> Prior:
        """The law of x_T for a batch of this shape, (batch, *event)."""

    def has_score(self, t: Time) -> Array:
        """Whether x_t has a density for any data law, so that a score exists; true, with the shape of t."""
        return jnp.ones_like(t, dtype=bool)

    def restart(self, x: Batch, velocity: Batch, t: Time, s: Time) -> Marginal:
        """x_s given x_t, for a sampler that leaves a time ``t`` at which g(t) is infinite.

        There is no such time unless a subclass says so: nothing moves.
        """
        del velocity, t
        return Marginal(x, jnp.zeros_like(s, dtype=x.dtype))


class Marginal(NamedTuple):
    """x_t | x_0 ~ N(mean, std^2 I); ``std`` has the shape of t."""

    mean: Batch
    std: Array


class Transition(NamedTuple):
    """x_t | x_s ~ N(scale x_s, std^2 I) for s < t."""

    scale: Array
    std: Array


class Bridge(NamedTuple):
    """x_s | x_t, x_0 ~ N(c_x x_t + c_0 x_0, std^2 I) for s < t."""

    c_x: Array
    c_0: Array
    std: Array


class GaussianSDE(SDE):
    """Forward process with a closed Gaussian kernel, x_t | x_0 ~ N(alpha(t) x_0, sigma(t)^2 I).

    Write ``alpha`` and ``sigma``; drift f(t) x with f = d log alpha / dt, diffusion
    g^2 = d sigma^2 / dt - 2 f sigma^2, transitions and the signal-to-noise ratio follow
    (Karras et al. 2022, eq. 10-11 inverted). Override ``variance`` where squaring ``sigma`` loses
    accuracy or cannot be differentiated (sigma(0) = 0 by a square root).
    """

    @abstractmethod
    def alpha(self, t: Time) -> Array:
        """Scale of the data in x_t, with the shape of ``t``."""

    @abstractmethod
    def sigma(self, t: Time) -> Array:
        """Standard deviation of the noise in x_t, with the shape of ``t``."""

    def variance(self, t: Time) -> Array:
        """sigma(t)^2."""
        return jnp.square(self.sigma(t))

    def alpha_rate(self, t: Time) -> Array:
        """d alpha / dt."""
        return _rate(self.alpha, t)

    def sigma_rate(self, t: Time) -> Array:
        """d sigma / dt; infinite at t = 0 where sigma starts like a square root."""
        return _rate(self.sigma, t)

    def variance_rate(self, t: Time) -> Array:
        """d sigma^2 / dt; finite also where d sigma / dt is not."""
        return _rate(self.variance, t)

    def drift_rate(self, t: Time) -> Array:
        """f(t) = d log alpha / dt, of which the drift is f(t) x; -inf where alpha(t) = 0."""
        return self.alpha_rate(t) / self.alpha(t)

    def drift(self, x: Batch, t: Time) -> Batch:
        """f(t) x."""
        return expand(self.drift_rate(t), x) * x

    def squared_diffusion(self, t: Time) -> Array:
        """g(t)^2 = d sigma^2 / dt - 2 f sigma^2; inf where alpha(t) = 0."""
        return self.variance_rate(t) - 2 * self.drift_rate(t) * self.variance(t)

    def diffusion(self, t: Time) -> Array:
        """g(t)."""
        return jnp.sqrt(self.squared_diffusion(t))

    def marginal(self, x0: Batch, t: Time) -> Marginal:
        """Mean alpha(t) x_0 and standard deviation sigma(t) of x_t given x_0."""
        return Marginal(expand(self.alpha(t), x0) * x0, self.sigma(t))

    def transition(self, t: Time, s: Time) -> Transition:
        """The kernel from s up to t > s: scale alpha_t / alpha_s, variance sigma_t^2 - scale^2 sigma_s^2."""
        scale = self.alpha(t) / self.alpha(s)
        variance = self.variance(t) - jnp.square(scale) * self.variance(s)
        return Transition(scale, jnp.sqrt(jnp.maximum(variance, 0.0)))

    def bridge(self, t: Time, s: Time) -> Bridge:
        """The kernel from t down to s < t given x_0 (Ho et al. 2020, eq. 6-7, for any alpha and sigma).

        Well defined also where alpha(t) = 0: x_t then carries nothing and x_s is drawn afresh.
        """
        scale, std = self.transition(t, s)
        gained, kept = jnp.square(std) / self.variance(t), self.variance(s) / self.variance(t)
        return Bridge(scale * kept, self.alpha(s) * gained, std * jnp.sqrt(kept))

    def has_score(self, t: Time) -> Array:
        """sigma(t) > 0."""
        return self.variance(t) > 0

    def restart(self, x: Batch, velocity: Batch, t: Time, s: Time) -> Marginal:
        """N(alpha_s D, sigma_s^2 I): x_s given x_t where alpha(t) = 0, the only times at which g is infinite.

        x_t then carries nothing of x_0 and the bridge forgets it; D = (velocity - sigma' x_t / sigma) /
        alpha' is the mean of the data. Elsewhere the value is finite and without meaning.
        """
        there = self.alpha(t) == 0
        scale = self.alpha(s) / jnp.where(there, self.alpha_rate(t), 1.0)
        log_rate = jnp.where(there, self.sigma_rate(t) / self.sigma(t), 0.0)
        return Marginal(expand(scale, x) * (velocity - expand(log_rate, x) * x), self.sigma(s))

    def covariance_scale(self, t: Time) -> Array:
        """sigma^2 / alpha, which times dD/dx_t is the covariance of x_0 given x_t; 0 where alpha = 0.

        It also turns a change of the score into one of D (Tweedie, of second and of first order).
        """
        alpha = self.alpha(t)
        return jnp.where(alpha > 0, self.variance(t) / jnp.where(alpha > 0, alpha, 1), 0)

    def log_snr(self, t: Time) -> Array:
        """log(alpha^2 / sigma^2), strictly decreasing in t; +inf where sigma = 0, -inf where alpha = 0."""
        return 2 * jnp.log(self.alpha(t)) - jnp.log(self.variance(t))

    def time_at_log_snr(self, log_snr: Array) -> Array:
        """The t in [0, T] with log_snr(t) = ``log_snr``, by bisection; closed forms may override."""
        target = jnp.asarray(log_snr)
        low, high = jnp.zeros_like(target), jnp.full_like(target, self.T)

        def halve(_: int, bounds: tuple[Array, Array]) -> tuple[Array, Array]:
            low, high = bounds
            middle = 0.5 * (low + high)
            later = self.log_snr(middle) > target
            return jnp.where(later, middle, low), jnp.where(later, high, middle)

        low, high = jax.lax.fori_loop(0, 64, halve, (low, high))
        return 0.5 * (low + high)

    def prior(self, shape: tuple[int, ...]) -> Prior:
        """N(0, sigma(T)^2 I): the law of x_T where alpha(T) x_0 is negligible beside sigma(T)."""
        return NormalPrior(shape=shape, scale=self.sigma(jnp.asarray(self.T)))


def _rate(function: Callable[[Array], Array], t: Time) -> Array:
    t = jnp.asarray(t, dtype=jnp.result_type(t, float))
    return jax.jvp(function, (t,), (jnp.ones_like(t),))[1]
