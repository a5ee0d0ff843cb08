r"""Exponential integration of the reverse family in lambda = log(alpha / sigma), for every Gaussian SDE.

From t to s < t, h = lambda_s - lambda_t, and with D = E[x_0 | x_t] along the path,

    x_s = (sigma_s / sigma_t) e^{-c^2 h} x_t
          + alpha_s (1 + c^2) int_0^h e^{-(1 + c^2) (h - u)} D du + sigma_s sqrt(1 - e^{-2 c^2 h}) z

with u = lambda - lambda_t (Xue et al. 2023; Lu et al. 2022b for c = 0, the probability flow, and c = 1, the
reverse SDE). The linear part is exact; solvers differ in what they take D to be. Where D is constant its part
is D times ``gain``, finite also from alpha = 0 and to sigma = 0, where h is infinite.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


class Interval(NamedTuple):
    """From t to s, in lambda.

    Attributes:
        at: lambda_t; 0 where it is infinite.
        width: h; 1 where it is infinite.
        finite: whether it is not: otherwise only the first-order step is known.
    """

    at: Array
    width: Array
    finite: Array

    @classmethod
    def of(cls, sde: GaussianSDE, t: Array, s: Array) -> Interval:
        """The interval between two times."""
        at, begins = place(sde, t)
        ends = sde.has_score(s)
        finite = begins & ends
        to = half_log_snr(sde, jnp.where(ends, s, 0.5 * sde.T))
        return cls(at, jnp.where(finite, to - at, 1.0), finite)


class Past(NamedTuple):
    """Values of earlier times, the latest first.

    Attributes:
        values: of D or the noise.
        at: their lambdas, or other places.
        known: how many of them count.
    """

    values: tuple[Batch, ...]
    at: tuple[Array, ...]
    known: Array

    @classmethod
    def empty(cls, x: Batch, t: Array, length: int) -> Past:
        """Room for ``length`` values."""
        return cls((jnp.zeros_like(x),) * length, (jnp.zeros_like(t),) * length, jnp.zeros((), jnp.int32))

    def latest(self, count: int) -> Past:
        """The ``count`` latest of them."""
        return Past(self.values[:count], self.at[:count], jnp.minimum(self.known, count))

    def push(self, value: Batch, at: Array, counts: Array) -> Past:
        """``value`` before the others; where it does not count, nothing does."""
        length = len(self.values)
        values, places = (value, *self.values)[:length], (at, *self.at)[:length]
        known = jnp.where(counts, jnp.minimum(self.known + 1, length), 0)
        return Past(values, places, known.astype(jnp.int32))


class Predicted(NamedTuple):
    """What the next step corrects.

    Attributes:
        past: values of D up to the time before.
        drift: the integral that the last step took.
        t: the time that it began at.
    """

    past: Past
    drift: Batch
    t: Array


def half_log_snr(sde: GaussianSDE, t: Array) -> Array:
    """lambda(t) = log(alpha / sigma)."""
    return 0.5 * sde.log_snr(t)


def place(sde: GaussianSDE, t: Array) -> tuple[Array, Array]:
    """lambda(t), 0 where alpha is 0 and it is infinite, and whether it is not."""
    there = sde.alpha(t) > 0
    return jnp.where(there, half_log_snr(sde, jnp.where(there, t, 0.5 * sde.T)), 0.0), there


def decay(sde: GaussianSDE, t: Array, s: Array, churn2: Array | float = 0.0) -> Array:
    """(sigma_s / sigma_t) e^{-c^2 h}, of x_t in x_s."""
    return sde.sigma(s) / sde.sigma(t) * _shrinking(sde, t, s, churn2)


def gain(sde: GaussianSDE, t: Array, s: Array, churn2: Array | float = 0.0) -> Array:
    """alpha_s (1 - e^{-(1 + c^2) h}), of a constant D in x_s."""
    return sde.alpha(s) * (1 - _shrinking(sde, t, s, 1 + churn2))


def added(sde: GaussianSDE, t: Array, s: Array, churn2: Array | float) -> Array:
    """sigma_s sqrt(1 - e^{-2 c^2 h}), of the noise in x_s."""
    left = 1 - _shrinking(sde, t, s, 2 * jnp.asarray(churn2))
    return sde.sigma(s) * jnp.where(left > 0, jnp.sqrt(jnp.where(left > 0, left, 1)), 0)


def log_clock(sde: GaussianSDE, t: Array, churn2: Array | float = 1.0) -> Array:
    """2 c^2 lambda, the logarithm of the time in which the noise above is a Brownian motion's increment."""
    return jnp.where(jnp.asarray(churn2) > 0, churn2 * sde.log_snr(t), 0.0)


def _shrinking(sde: GaussianSDE, t: Array, s: Array, power: Array | float) -> Array:
    """e^{-power h} = (alpha_t sigma_s / (alpha_s sigma_t))^power, 1 for power 0 also where h is infinite."""
    ratio = sde.alpha(t) * sde.sigma(s) / (sde.alpha(s) * sde.sigma(t))
    positive = ratio > 0
    shrunk = jnp.where(positive, jnp.where(positive, ratio, 1) ** power, 0)
    return jnp.where(jnp.asarray(power) == 0, 1.0, shrunk)


def time_at(sde: GaussianSDE, interval: Interval, part: float, t: Array) -> Array:
    """The time at which ``part`` of the interval is behind; t where it is infinite."""
    wanted = sde.time_at_log_snr(2 * (interval.at + part * interval.width))
    return jnp.where(interval.finite, wanted, t).astype(t.dtype)


def weights(places: Sequence[Array], width: Array, rate: Array | float) -> list[Array]:
    """w_j with sum_j w_j p(u_j) = int_0^h e^{-rate (h - u)} p(u) du for polynomials p of as many terms.

    By Lagrange's interpolation at ``places`` u_j and Gauss quadrature on 16 nodes.
    """
    nodes = 0.5 * width * (jnp.asarray(NODES, width.dtype) + 1)
    measure = 0.5 * width * jnp.asarray(WEIGHTS, width.dtype) * jnp.exp(-rate * (width - nodes))
    return [jnp.sum(measure * basis) for basis in lagrange(places, nodes)]


def lagrange(places: Sequence[Array], nodes: Array) -> Iterator[Array]:
    """Values at ``nodes`` of the polynomials that are 1 at one place and 0 at the others."""
    for j, here in enumerate(places):
        basis = jnp.ones_like(nodes)
        for k, other in enumerate(places):
            if k != j:
                apart = here - other  # 0 only between values that are not known
                basis = basis * (nodes - other) / jnp.where(apart == 0, 1.0, apart)
        yield basis


def integral(
    sde: GaussianSDE, value: Batch, past: Past, t: Array, s: Array, churn2: Array | float = 0.0
) -> Batch:
    """The integral above, D the polynomial through ``value`` at t and all that is known of the past."""
    interval = Interval.of(sde, t, s)
    first = gain(sde, t, s, churn2) * value
    return _through(sde, value, jnp.zeros_like(interval.at), first, past, interval, s, 1 + churn2)


def closed_integral(
    sde: GaussianSDE, value: Batch, past: Past, t: Array, s: Array, churn2: Array | float = 0.0
) -> Batch:
    """The same where ``value`` is at s, and the latest of the past at t: for correctors."""
    interval = Interval.of(sde, t, s)
    first = gain(sde, t, s, churn2) * past.values[0]
    return _through(sde, value, interval.width, first, past, interval, s, 1 + churn2)


def _through(
    sde: GaussianSDE,
    value: Batch,
    at: Array,
    first: Batch,
    past: Past,
    interval: Interval,
    s: Array,
    rate: Array | float,
) -> Batch:
    """The integral through ``value`` at u = ``at`` and what is known of the past; ``first`` if nothing is."""
    found = first
    for count in range(1, len(past.values) + 1):
        places = (at, *(there - interval.at for there in past.at[:count]))
        total = combined(weights(places, interval.width, rate), (value, *past.values[:count]))
        enough = interval.finite & (past.known >= count)
        found = jnp.where(enough, sde.alpha(s) * rate * total, found)
    return found


def combined(scales: Sequence[Array], values: Sequence[Batch]) -> Batch:
    """The sum of ``values`` with these scales."""
    return functools.reduce(operator.add, (w * v for w, v in zip(scales, values, strict=True)))
