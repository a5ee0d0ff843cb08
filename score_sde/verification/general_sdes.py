"""Laws of every SDE, closed kernel or not."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import scipy.integrate
import scipy.stats

from score_sde.sdes.base import SDE
from score_sde.typing import Array
from score_sde.verification.base import Finding, Law, error_of, finite, is_same_tree, within

PATHS, STEPS = 4000, 400
CRITICAL = 1.95  # of sqrt(n) times Kolmogorov's distance: exceeded by chance once in a thousand


def coefficients(sde: SDE) -> Finding:
    """F and g are finite inside (0, T), and the same for one time and for one time per example."""
    times, x = sde.T * jnp.linspace(0.03, 0.97, 7), jnp.linspace(-2.0, 2.0, 14).reshape(7, 2)
    drifts, scales = sde.drift(x, times), sde.diffusion(times)
    apart = [sde.drift(x[i : i + 1], times[i])[0] for i in range(7)]
    single = [sde.diffusion(times[i]) for i in range(7)]
    shaped = drifts.shape == x.shape and scales.shape == times.shape
    usable = shaped and finite(drifts, scales) and bool(jnp.all(scales >= 0))
    error = max(error_of(drifts, apart, 1e-12), error_of(scales, single)) if usable else float("inf")
    told = "f and g finite, g at least 0, alike for one time and one per example, relative error"
    return within("coefficients", error, 1e-6, told)


def prior_density(sde: SDE) -> Finding:
    """exp(log_prob) integrates to one, and is the density of the samples (Kolmogorov-Smirnov)."""
    draws = np.asarray(sde.prior((PATHS, 1)).sample(jax.random.key(1)))[:, 0]
    places, shares = _distribution(sde, draws)
    distance = _distance(draws, places, shares) if abs(shares[-1] - 1) < 1e-3 else float("inf")
    told = f"integral of exp(log_prob) is {shares[-1]:.5f}; sqrt(n) sup |F_n - F| of {PATHS} prior samples"
    return within("prior_density", distance, CRITICAL, told)


def stationary_end(sde: SDE) -> Finding:
    """Paths that are simulated from standard normal data to T have the prior's law there.

    Closer than what a sampler notices is enough: three times the distance that chance allows.
    """
    ends = np.asarray(_simulated(sde, jax.random.key(7)))
    distance = _distance(ends, *_distribution(sde, ends))
    told = f"sqrt(n) sup |F_n - F| of {PATHS} paths from N(0, 1), simulated to T, beside the prior"
    return within("stationary_end", distance, 3 * CRITICAL, told)


def tree(sde: SDE) -> Finding:
    """Survives flattening, putting together and jit."""
    return is_same_tree("tree", sde)


GENERAL_LAWS: tuple[Law, ...] = (coefficients, prior_density, stationary_end, tree)


def _distribution(sde: SDE, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places, and the prior's distribution function there, by integrating its density."""
    reach = 8 * np.max(np.abs(values)) + 1e-12
    middle = np.linspace(-1.0, 1.0, 20001)
    places = reach * middle * np.abs(middle)  # closer where most values are
    log_prob = sde.prior((places.size, 1)).log_prob(jnp.asarray(places)[:, None])
    return places, scipy.integrate.cumulative_simpson(np.exp(np.asarray(log_prob)), x=places, initial=0.0)


def _distance(values: np.ndarray, places: np.ndarray, shares: np.ndarray) -> float:
    if not np.all(np.isfinite(values)):
        return float("inf")
    found = scipy.stats.kstest(values, lambda x: np.interp(x, places, shares))
    return float(found.statistic * np.sqrt(values.size))


@jax.jit
def _simulated(sde: SDE, key: Array) -> Array:
    """Euler-Maruyama paths from N(0, 1) to T, stepping at the middle times, where g is finite."""
    width = sde.T / STEPS
    middles = (jnp.arange(STEPS) + 0.5) * width

    def step(x: Array, pair: tuple[Array, Array]) -> tuple[Array, None]:
        t, key = pair
        noise = jax.random.normal(key, x.shape)
        return x + width * sde.drift(x, t) + jnp.sqrt(width) * sde.diffusion(t) * noise, None

    start = jax.random.normal(key, (PATHS, 1))
    keys = jax.random.split(jax.random.fold_in(key, 1), STEPS)
    return jax.lax.scan(step, start, (middles, keys))[0][:, 0]
