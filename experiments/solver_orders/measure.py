"""Errors of a predictor against what is exact, at several numbers of steps."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from score_sde.denoisers import Gaussian, IsotropicMixture
from score_sde.samplers import GivenNoise, Predictor
from score_sde.samplers.exponential import half_log_snr
from score_sde.sdes import VP, GaussianSDE
from score_sde.typing import Array, Batch

ENDS = (0.8, 0.1)  # of T
MEAN, VARIANCE = 0.7, 1.8  # of the normal data law
FORCED = 3  # steps at most that are put on the exact flow, while a multi-step predictor collects its values


def mixture(sde: GaussianSDE) -> IsotropicMixture:
    """Three round normal laws in the plane."""
    means = np.array([[-2.0, -1.0], [1.5, 0.5], [0.0, 2.0]])
    return IsotropicMixture(sde=sde, weights=[0.5, 0.3, 0.2], means=means, stds=0.6)


def normal(sde: GaussianSDE) -> Gaussian:
    """One normal law on the line."""
    return Gaussian(sde=sde, mean=jnp.array([MEAN]), covariance=jnp.array([[VARIANCE]]))


def grid(sde: GaussianSDE, n_steps: int) -> np.ndarray:
    """Times of equal steps in log(alpha / sigma), (n_steps + 1,)."""
    first, last = (half_log_snr(sde, jnp.asarray(end * sde.T)) for end in ENDS)
    times = sde.time_at_log_snr(2 * jnp.linspace(first, last, n_steps + 1))
    return np.asarray(times.at[0].set(ENDS[0] * sde.T).at[-1].set(ENDS[1] * sde.T))


def flow(model: Any, x: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The probability flow from ``x`` at ``times[0]`` to all ``times``, by scipy's DOP853 at 1e-13."""
    velocity = jax.jit(lambda x, t: model.velocity(x, t))

    def field(t: float, y: np.ndarray) -> np.ndarray:
        return np.asarray(velocity(jnp.asarray(y.reshape(x.shape)), jnp.asarray(t))).ravel()

    span = float(times[0]), float(times[-1])
    solved = solve_ivp(field, span, x.ravel(), method="DOP853", t_eval=times, rtol=1e-13, atol=1e-14)
    return solved.y.T.reshape(len(times), *x.shape)


class Known(NamedTuple):
    """A number of steps, its times, padded to the most steps, and exact states after the first of them."""

    n_steps: int
    times: Array
    exact: Array


@functools.partial(jax.jit, static_argnames="forced")
def run(predictor: Predictor, model: Any, x: Batch, known: Known, noise: Array, forced: int) -> Batch:
    """x after the steps; the first ``forced`` states are the exact ones, and step i has ``noise[i]``."""

    def advance(i: Array, carry: tuple[Batch, Any]) -> tuple[Batch, Any]:
        x, memory = carry
        given: Any = GivenNoise(values=noise[i])
        step = predictor.step(given, model, x, known.times[i], known.times[i + 1], memory)
        exact = known.exact[jnp.minimum(i, known.exact.shape[0] - 1)]
        return jnp.where(i < forced, exact, step.x), step.memory

    begun = x, predictor.init(model, x, known.times[0])
    return jax.lax.fori_loop(0, known.n_steps, advance, begun)[0]


def forced(predictor: Predictor) -> int:
    """Steps until a multi-step predictor has the values that its order needs."""
    return min(predictor.order - 1, FORCED)


class FlowErrors:
    """Root mean square distance from the exact flow of the mixture, after each number of steps."""

    def __init__(self, sde: GaussianSDE, counts: Sequence[int]) -> None:
        self.model, most = mixture(sde), max(counts)
        first = jnp.asarray(ENDS[0] * sde.T)
        points = np.array([[1.0, 0.5], [-1.5, 0.3], [0.2, -1.0], [0.5, 1.5]])
        self.start = jnp.asarray(sde.alpha(first) * points + sde.sigma(first) * np.array([0.3, -0.4]))
        self.noise, self.known, self.ends = jnp.zeros((most, *points.shape)), [], []
        for count in counts:
            times = grid(sde, count)
            exact = flow(self.model, np.asarray(self.start), times[[*range(FORCED + 1), -1]])
            self.known.append(Known(count, padded(times, most), jnp.asarray(exact[1:-1])))
            self.ends.append(exact[-1])

    def __call__(self, predictor: Predictor) -> list[float]:
        """For each number of steps."""
        count = forced(predictor)
        found = [run(predictor, self.model, self.start, known, self.noise, count) for known in self.known]
        return [float(np.sqrt(np.mean(np.square(x - end)))) for x, end in zip(found, self.ends, strict=True)]


def padded(times: np.ndarray, most: int) -> Array:
    """The times, the last repeated up to ``most`` steps, so that one program serves all."""
    return jnp.asarray(np.pad(times, (0, most + 1 - len(times)), mode="edge"))


def moments(sde: GaussianSDE, t: Any) -> tuple[Array, Array]:
    """Mean and variance of x_t for the normal law."""
    t = jnp.asarray(t)
    return sde.alpha(t) * MEAN, sde.alpha(t) ** 2 * VARIANCE + sde.variance(t)


class MomentErrors:
    """Of mean and variance at the end, from exact ones at the beginning, in standard deviations; no sampling.

    Steps are affine in the state and the noise here: row 0 starts from 0 and row 1 from 1, without noise;
    row 2 + i starts from 0 and has one unit of noise at step i.
    """

    def __init__(self, sde: GaussianSDE, counts: Sequence[int]) -> None:
        self.model, most = normal(sde), max(counts)
        self.start = jnp.zeros((most + 2, 1)).at[1].set(1.0)
        self.noise, self.known = jnp.eye(most + 2)[2:, :, None], []
        for count in counts:
            times = grid(sde, count)
            exact = _flowed(sde, self.start, times[: FORCED + 1])
            self.known.append(Known(count, padded(times, most), exact))

    def __call__(self, predictor: Predictor) -> list[float]:
        """For each number of steps."""
        count = forced(predictor)
        found = [run(predictor, self.model, self.start, known, self.noise, count) for known in self.known]
        pairs = zip(found, self.known, strict=True)
        return [_moment_error(self.model.sde, end, known) for end, known in pairs]


def _flowed(sde: GaussianSDE, x: Batch, times: np.ndarray) -> Array:
    """The flow of the normal law in closed form, at the times after the first."""
    mean, variance = moments(sde, times[0])
    states = []
    for t in times[1:]:
        mean_t, variance_t = moments(sde, t)
        states.append(mean_t + jnp.sqrt(variance_t / variance) * (x - mean))
    return jnp.stack(states)


def _moment_error(sde: GaussianSDE, end: Batch, known: Known) -> float:
    first, last = known.times[0], known.times[-1]
    offset, slope, noise = end[0, 0], end[1, 0] - end[0, 0], end[2:, 0] - end[0, 0]
    (mean, variance), (wanted, spread) = moments(sde, first), moments(sde, last)
    mean_error = (slope * mean + offset - wanted) / jnp.sqrt(spread)
    variance_error = (slope**2 * variance + jnp.sum(noise**2)) / spread - 1
    return float(jnp.hypot(mean_error, variance_error))


def is_random(predictor: Predictor) -> bool:
    """Whether a step adds noise."""
    model, x = normal(VP()), jnp.zeros((1, 1))
    t, s = jnp.asarray(0.5), jnp.asarray(0.4)
    unit: Any = GivenNoise(values=jnp.ones(()))
    step = predictor.step(unit, model, x, t, s, predictor.init(model, x, t))
    return bool(jnp.any(step.x != step.mean))


def order(counts: Sequence[int], errors: Sequence[float], floor: float = 1e-11) -> float:
    """log2 of the errors' ratio at the two largest numbers of steps that are above rounding."""
    kept = [(n, e) for n, e in zip(counts, errors, strict=True) if e > floor]
    if len(kept) < 2:
        return float("nan")
    (n, coarse), (m, fine) = kept[-2:]
    return float(np.log(coarse / fine) / np.log(m / n))
