"""Laws of every Gaussian SDE: what it says of itself, held to its alpha and sigma, in float64."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import norm  # type: ignore[attr-defined]  # scipy fills it in by star imports

from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array
from score_sde.verification.base import Finding, Law, error_of, is_same_tree, within

PATHS, STEPS, END = 4000, 300, 0.8  # of the Monte Carlo law; END of T, where every g is finite


def drift(sde: GaussianSDE) -> Finding:
    """F(x, t) = x d log alpha / dt."""
    found = _coefficients(sde)
    x = np.linspace(-2, 2, len(found["rate"]))[:, None]
    errors = (
        error_of(sde.drift(jnp.asarray(x), _interior(sde)), found["rate"][:, None] * x, 1e-3),
        error_of(sde.drift_rate(_interior(sde)), found["rate"], 1e-3),
    )
    return within("drift", max(errors), 1e-9, "f(x, t) = x d log alpha / dt, relative error")


def diffusion(sde: GaussianSDE) -> Finding:
    """g^2 = d sigma^2 / dt - 2 f sigma^2, by differentiating sigma and alpha."""
    found = _coefficients(sde)
    squared = found["variance_rate"] - 2 * found["rate"] * found["sigma"] ** 2
    error = error_of(jnp.square(sde.diffusion(_interior(sde))), squared)
    return within("diffusion", error, 1e-8, "g^2 = d sigma^2 / dt - 2 f sigma^2, relative error")


def rates(sde: GaussianSDE) -> Finding:
    """alpha', sigma' and (sigma^2)' are derivatives of alpha and sigma."""
    found, times = _coefficients(sde), _interior(sde)
    pairs = (
        (sde.alpha_rate(times), found["rate"] * found["alpha"], 1e-3),
        (sde.sigma_rate(times), found["variance_rate"] / (2 * found["sigma"]), 0.0),
        (sde.variance_rate(times), found["variance_rate"], 0.0),
        (sde.variance(times), found["sigma"] ** 2, 0.0),
    )
    error = max(error_of(*pair) for pair in pairs)
    return within("rates", error, 1e-8, "alpha', sigma', (sigma^2)' and sigma^2, relative error")


def moments(sde: GaussianSDE) -> Finding:
    """Exact Euler-Maruyama moments end at alpha and sigma^2, with order 1 (Kloeden and Platen 1992)."""
    coarse, fine, exact = (np.asarray(value) for value in _euler_maruyama(sde))
    settled = error_of(2 * fine, coarse, 1e-9 / 0.02)  # the error halves
    error = max(settled, error_of(fine + exact, exact))
    told = "mean and variance of 4000 Euler-Maruyama steps, and halving of their error, relative"
    return within("moments", error, 0.02, told)


def paths(sde: GaussianSDE) -> Finding:
    """Simulated paths have the marginal law; a diffusion that is 5 % wrong is told apart."""
    ends = np.asarray(_simulated(sde, jax.random.key(7)))
    mean, std = sde.marginal(jnp.ones((1, 1)), END * sde.T)
    z = (ends - float(mean[0, 0])) / float(std)
    shift, spread = z.mean() * np.sqrt(PATHS), (z.std() - 1) * np.sqrt(2 * PATHS)
    told = f"{PATHS} simulated paths, mean and deviation in standard errors ({shift:.2f}, {spread:.2f})"
    return within("paths", max(abs(shift) * 0.75, abs(spread)), 3.0, told)


def transitions(sde: GaussianSDE) -> Finding:
    """q(t|r) = q(t|s) q(s|r) (Chapman-Kolmogorov), and q(t|s) takes the marginal at s to that at t."""
    r, s, t = 0.1 * sde.T, 0.5 * sde.T, 0.9 * sde.T
    first, second, whole = sde.transition(s, r), sde.transition(t, s), sde.transition(t, r)
    scale = error_of(first.scale * second.scale, whole.scale)
    variance = second.scale**2 * first.std**2 + second.std**2
    marginal = error_of(second.scale**2 * sde.variance(s) + second.std**2, sde.variance(t))
    error = max(scale, error_of(variance, whole.std**2), marginal)
    return within("transitions", error, 1e-10, "q(t|r) = q(t|s) q(s|r), and marginals, relative error")


def bridges(sde: GaussianSDE) -> Finding:
    """Drawing x_t, then x_s given x_t and x_0, gives back the marginal at s, from T and to 0 too."""
    errors = []
    for shares in ((1.0, 0.7), (1.0, 0.0), (0.6, 0.2), (0.3, 0.0)):
        t, s = (jnp.asarray(share * sde.T) for share in shares)
        c_x, c_0, std = sde.bridge(t, s)
        shared = sde.alpha(t) / sde.alpha(s) * sde.variance(s)  # covariance of x_s and x_t given x_0
        errors += [
            error_of(c_0 + c_x * sde.alpha(t), sde.alpha(s)),
            error_of(std**2 + c_x**2 * sde.variance(t), sde.variance(s), 1e-11),
            error_of(c_x * sde.variance(t), shared, 1e-11),
        ]
    return within("bridges", max(errors), 1e-9, "q(x_s | x_t, x_0) by Bayes' rule, relative error")


def signal_to_noise(sde: GaussianSDE) -> Finding:
    """log SNR falls strictly, and ``time_at_log_snr`` inverts it, ends included."""
    times = sde.T * jnp.linspace(0, 1, 101)
    log_snr = np.asarray(sde.log_snr(times))
    rising = int(np.sum(~(np.diff(log_snr) < 0)))
    error = error_of(sde.time_at_log_snr(jnp.asarray(log_snr)), times, 0.01 * sde.T)
    told = f"log SNR falls ({rising} of 100 steps do not), and its inverse's relative error"
    return within("signal_to_noise", float("inf") if rising else error, 1e-8, told)


def ends(sde: GaussianSDE) -> Finding:
    """alpha, sigma, alpha' and (sigma^2)' are finite at 0 and T, where one of f and g may not be."""
    names = ("alpha", "sigma", "alpha_rate", "variance_rate")
    values = {f"{name}({t:g})": getattr(sde, name)(t) for t in (0.0, sde.T) for name in names}
    bad = [name for name, value in values.items() if not np.isfinite(value)]
    return within("ends", len(bad), 0, f"not finite: {', '.join(bad)}" if bad else "finite at 0 and T")


def prior(sde: GaussianSDE) -> Finding:
    """N(0, sigma(T)^2 I): log density as scipy has it, and samples of that scale.

    1e-4 is allowed: a process that ends at 0.99998 may take scale 1.
    """
    law, scale = sde.prior((5, 2, 3)), float(sde.sigma(sde.T))
    x = law.sample(jax.random.key(0))
    expected = norm(scale=scale).logpdf(np.asarray(x)).sum(axis=(1, 2))
    many = np.asarray(sde.prior((20000,)).sample(jax.random.key(1)))
    off = abs(np.std(many) / scale - 1) > 4 / np.sqrt(2 * many.size)
    error = float("inf") if off else error_of(law.log_prob(x), expected)
    return within("prior", error, 1e-4, "log density of N(0, sigma(T)^2 I) by scipy, relative error")


def tree(sde: GaussianSDE) -> Finding:
    """Survives jit, vmap, grad, flattening and putting together."""
    found = is_same_tree("tree", sde)
    t, times = 0.4 * sde.T, _interior(sde)
    jitted = error_of(jax.jit(lambda sde, t: sde.sigma(t))(sde, t), sde.sigma(t))
    mapped = error_of(jax.vmap(sde.diffusion)(times), sde.diffusion(times))
    gradient = jax.grad(lambda sde: jnp.sum(sde.marginal(jnp.ones((2, 3)), t).mean))(
        jax.tree.map(jnp.asarray, sde)
    )
    infinite = sum(int(np.sum(~np.isfinite(leaf))) for leaf in jax.tree.leaves(gradient))
    error = float("inf") if infinite else max(found.measured, jitted, mapped)
    return within("tree", error, 1e-6, "jit, vmap, grad and flattening, relative error")


GAUSSIAN_LAWS: tuple[Law, ...] = (
    drift, diffusion, rates, moments, paths, transitions, bridges, signal_to_noise, ends, prior, tree,
)  # fmt: skip


def _interior(sde: GaussianSDE, n: int = 9) -> Array:
    return sde.T * jnp.linspace(0.03, 0.97, n)


@jax.jit
def _coefficients(sde: GaussianSDE) -> dict[str, Array]:
    """What follows from alpha and sigma alone."""
    times = _interior(sde)
    return {
        "alpha": sde.alpha(times),
        "sigma": sde.sigma(times),
        "rate": jax.vmap(jax.grad(lambda t: jnp.log(sde.alpha(t))))(times),
        "variance_rate": jax.vmap(jax.grad(lambda t: sde.sigma(t) ** 2))(times),
    }


@jax.jit
def _euler_maruyama(sde: GaussianSDE) -> tuple[Array, Array, Array]:
    """Errors of mean and variance after 2000 and 4000 steps from 0.2 T to 0.8 T, and what is exact."""
    start, end = 0.2 * sde.T, 0.8 * sde.T

    def after(n: int) -> Array:
        times = jnp.linspace(start, end, n + 1)[:-1]
        step = (end - start) / n

        def recurse(state: Any, coefficient: Any) -> Any:
            (mean, variance), (rate, squared) = state, coefficient
            return ((1 + step * rate) * mean, (1 + step * rate) ** 2 * variance + squared * step), None

        first = (sde.alpha(start), sde.variance(start))
        found = jax.lax.scan(recurse, first, (sde.drift_rate(times), sde.diffusion(times) ** 2))[0]
        return jnp.stack([jnp.asarray(value) for value in found])

    exact = jnp.stack([jnp.asarray(sde.alpha(end)), jnp.asarray(sde.variance(end))])
    return after(2000) - exact, after(4000) - exact, exact


@jax.jit
def _simulated(sde: GaussianSDE, key: Array) -> Array:
    """Forward Euler-Maruyama paths from x_0 = 1 to 0.8 T."""
    times = jnp.linspace(0.0, END * sde.T, STEPS + 1)

    def step(x: Array, pair: tuple[Array, Array, Array]) -> tuple[Array, None]:
        t, s, key = pair
        noise = jax.random.normal(key, x.shape)
        return x + sde.drift(x, t) * (s - t) + sde.diffusion(t) * jnp.sqrt(s - t) * noise, None

    start = jnp.ones((PATHS, 1)) + sde.sigma(0.0) * jax.random.normal(key, (PATHS, 1))
    keys = jax.random.split(jax.random.fold_in(key, 1), STEPS)
    return jax.lax.scan(step, start, (times[:-1], times[1:], keys))[0][:, 0]
