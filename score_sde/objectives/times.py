"""Laws of training times."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtri

from score_sde.errors import InputError
from score_sde.objectives.base import Times, Uniforms, Weighting
from score_sde.pytree import static
from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.checks import require_positive
from score_sde.typing import Array, Key, PerExample, Time


class Independent(Uniforms):
    """Independent draws."""

    def __call__(self, key: Key, n: int) -> Array:
        """``n`` numbers strictly between 0 and 1."""
        return _inside(jax.random.uniform(key, (n,)))


class Stratified(Uniforms):
    """u_i = (u + i / n) mod 1 with one random u: evenly spread over each batch, each u_i uniform.

    Lowers the variance of batch means (Kingma et al. 2021, low-discrepancy sampler).
    """

    def __call__(self, key: Key, n: int) -> Array:
        """``n`` numbers strictly between 0 and 1."""
        return _inside((jax.random.uniform(key) + jnp.arange(n) / n) % 1)


class QuantileTimes(Times):
    """A law of times written as its quantile function."""

    batch: Uniforms = Independent()

    @abstractmethod
    def quantile(self, sde: Any, u: Array) -> Array:
        """The time below which (or, in log-SNR laws, above which) a share ``u`` lies."""

    def __call__(self, key: Key, sde: Any, n: int) -> PerExample:
        """``n`` times."""
        return self.quantile(sde, self.batch(key, n))


class UniformTimes(QuantileTimes):
    """t ~ U(t_min, T) (Song et al. 2021, eq. 7; 1e-5 is its code's)."""

    t_min: float = 1e-5

    def __post_init__(self) -> None:
        if not self.t_min >= 0:
            raise InputError("UniformTimes.t_min", self.t_min, "a time of at least 0", "raise it")

    def quantile(self, sde: Any, u: Array) -> Array:
        """t_min + u (T - t_min), below T, where g may be infinite."""
        times = self.t_min + u * (sde.T - self.t_min)
        return jnp.minimum(times, sde.T * (1 - jnp.finfo(u.dtype).epsneg))


class UniformSteps(QuantileTimes):
    """t = T i / N with i uniform in 1 .. N: after one of the steps of a chain (``sdes.DiscreteVP``)."""

    steps: int = static(1000)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError("UniformSteps.steps", self.steps, "a positive count", "give the chain's")

    def quantile(self, sde: Any, u: Array) -> Array:
        """T (floor(N u) + 1) / N."""
        return (jnp.floor(self.steps * u) + 1) * (sde.T / self.steps)


class LogitNormal(QuantileTimes):
    """t = T sigmoid(mean + std n), n ~ N(0, 1), part of the objective (Esser et al. 2024)."""

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        require_positive("LogitNormal.std", self.std)

    def quantile(self, sde: Any, u: Array) -> Array:
        """T sigmoid(mean + std Phi^-1(u))."""
        return sde.T * jax.nn.sigmoid(self.mean + self.std * ndtri(u))


class LogNormalSigma(QuantileTimes):
    """log(sigma / alpha) ~ N(mean, std^2), part of the objective (Karras et al. 2022, table 1).

    Times beyond the SDE's range are moved to its ends.
    """

    mean: float = -1.2
    std: float = 1.2

    def __post_init__(self) -> None:
        require_positive("LogNormalSigma.std", self.std)

    def quantile(self, sde: GaussianSDE, u: Array) -> Array:
        """The time where log(sigma / alpha) = mean + std Phi^-1(u)."""
        return jnp.clip(sde.time_at_log_snr(-2 * (self.mean + self.std * ndtri(u))), 0, sde.T)


class UniformLogSNR(QuantileTimes):
    """log-SNR uniform in a given range, part of the objective.

    The defaults are the range of the variational diffusion models of Kingma et al. 2021. Times beyond
    the SDE's range are moved to its ends.
    """

    low: float = -5.0
    high: float = 13.3

    def __post_init__(self) -> None:
        if not self.low < self.high:
            expected = f"more than low = {self.low!r}"
            raise InputError("UniformLogSNR.high", self.high, expected, "raise it")

    def quantile(self, sde: GaussianSDE, u: Array) -> Array:
        """The time where log-SNR = high + u (low - high)."""
        return jnp.clip(sde.time_at_log_snr(self.high + u * (self.low - self.high)), 0, sde.T)


class MixtureTimes(QuantileTimes):
    """A share of the times by one law and the rest by another, part of the objective.

    One number decides both which law and where in it, so that a stratified batch is stratified within
    each. The defaults are half uniform log-SNRs, which the likelihood asks for, and half about
    sigma = alpha, where the shape of a sample is decided.
    """

    first: QuantileTimes = LogNormalSigma(mean=0.0, std=1.0)
    second: QuantileTimes = UniformLogSNR(low=-10.0, high=13.0)
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise InputError(
                "MixtureTimes.share", self.share, "a number between 0 and 1", "0 or 1: use one law"
            )

    def quantile(self, sde: GaussianSDE, u: Array) -> Array:
        """The first law's at u / share where u < share, else the second's at (u - share) / (1 - share)."""
        first = self.first.quantile(sde, _inside(u / self.share))
        second = self.second.quantile(sde, _inside((u - self.share) / (1 - self.share)))
        return jnp.where(u < self.share, first, second)


class LikelihoodImportance(QuantileTimes):
    """Density proportional to g^2 / sigma^2 on [t_min, T]: importance sampling for likelihood weights.

    Since g^2 / sigma^2 = -d log SNR / dt for every Gaussian SDE, this is the law with uniform log-SNR,
    and with ``LikelihoodWeighting`` the factor is a constant instead of a ratio of huge numbers (Song
    et al. 2021, "Maximum likelihood training of score-based diffusion models"). The
    expected loss is that of ``UniformTimes(t_min)`` with the same weight.

    Attributes:
        t_min: smallest time.
        low: smallest log-SNR: where alpha(T) = 0 the range would be infinite. The part of the integral
            beyond it is of order exp(low).
    """

    t_min: float = 1e-5
    low: float = -20.0

    def __post_init__(self) -> None:
        require_positive("LikelihoodImportance.t_min", self.t_min)

    def quantile(self, sde: GaussianSDE, u: Array) -> Array:
        """The time where log-SNR has fallen by a share u of its range."""
        high, low = self._range(sde)
        return jnp.clip(sde.time_at_log_snr(high + u * (low - high)), self.t_min, sde.T)

    def factor(self, weight: Weighting, sde: GaussianSDE, t: Time) -> Array:
        """The weight per log-SNR times the range of log-SNR, over T - t_min."""
        high, low = self._range(sde)
        return weight.per_log_snr(sde, t) * ((high - low) / (sde.T - self.t_min))

    def _range(self, sde: GaussianSDE) -> tuple[Array, Array]:
        end = jnp.asarray(sde.T, dtype=float)
        low = jnp.maximum(sde.log_snr(end), self.low)
        return sde.log_snr(jnp.asarray(self.t_min, dtype=float)), low


def _inside(u: Array) -> Array:
    # Random floats include 0, where quantiles are infinite: once in millions of draws, but a NaN then.
    edge = jnp.finfo(u.dtype).epsneg
    return jnp.clip(u, edge, 1 - edge)
