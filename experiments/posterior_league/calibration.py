"""Simulation-based calibration (Talts et al. 2018): x_0 ranks uniformly among draws of p(x_0 | y).

One operator of the league's first cell, many draws of (x_0, y), a few draws of the method for each y. Ranks
of two numbers: x along the row of A, which y tells of, and the first value of x.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from experiments.posterior_league.problems import Problem, make_problem
from score_sde.inverse import Measurement
from score_sde.inverse.particles import systematic

DRAWS = 7  # for each y, so that ranks are 0 .. 7
PARTICLES = 256  # of a filter for each y


def setting() -> Problem:
    """The prior and the operator that are calibrated: d = 8, dy = 1."""
    return make_problem(8, 1, 0)


def simulate(problem: Problem, replicates: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """x_0 (replicates, 8) and y (replicates, 1)."""
    prior_key, noise_key = jax.random.split(jax.random.key(seed))
    x = problem.prior.sample(prior_key, replicates)
    measurement = problem.measurement
    y = measurement.noise.sample(noise_key, measurement.operator(x))
    return np.asarray(x), np.asarray(y)


def exact_draws(problem: Problem, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws (replicates, DRAWS, 8) of the posterior of each y, in closed form."""
    a, std = np.asarray(problem.measurement.operator.matrix)[0], float(problem.measurement.noise.std)
    means, weights = np.asarray(problem.prior.means), np.asarray(problem.prior.weights)
    total = a @ a + std**2
    logits = np.log(weights) - 0.5 * (y - means @ a) ** 2 / total
    gumbel = rng.gumbel(size=(len(y), DRAWS, len(weights)))
    x = means[np.argmax(logits[:, None, :] + gumbel, axis=-1)]
    x = x + rng.standard_normal(x.shape)
    seen = x @ a + std * rng.standard_normal(x.shape[:-1])
    return x + (y - seen)[..., None] * a / total


def biased_draws(problem: Problem, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exact draws moved along A by 5 % of the standard deviation of a component given y."""
    a, std = np.asarray(problem.measurement.operator.matrix)[0], float(problem.measurement.noise.std)
    length = np.linalg.norm(a)
    return exact_draws(problem, y, rng) + 0.05 * std / np.hypot(length, std) * a / length


def method_draws(method: Any, problem: Problem, y: np.ndarray, seed: int) -> np.ndarray:
    """Draws (replicates, DRAWS, 8) of a method: all in one call, or a filter for each y."""
    prior, measurement, key = problem.prior, problem.measurement, jax.random.key(seed)
    if not hasattr(method, "particles"):
        many = measurement.replace(y=jnp.repeat(jnp.asarray(y), DRAWS, axis=0))
        x = method(key, prior, many, (len(y) * DRAWS, 8))
        return np.asarray(x).reshape(len(y), DRAWS, -1)

    def one(pair: tuple[Any, Any]) -> Any:
        key, single = pair
        run_key, pick_key, order_key = jax.random.split(key, 3)
        of_one = Measurement(y=single[None], operator=measurement.operator, noise=measurement.noise)
        drawn = method.particles(run_key, prior, of_one, (PARTICLES, 8))
        order = jax.random.permutation(order_key, systematic(pick_key, drawn.log_weights, DRAWS))
        return drawn.x[order]

    keys = jax.random.split(key, len(y))
    return np.asarray(jax.lax.map(one, (keys, jnp.asarray(y)), batch_size=min(64, len(y))))


def p_values(problem: Problem, truth: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
    """Counts of ranks, and p-values of their uniformity.

    ``p`` is by Pearson's chi-square, against any departure; ``p_mean`` by the mean rank, whose law is normal
    with mean L / 2 and variance L (L + 2) / (12 n) for n ranks 0 .. L: it sees a bias with fewer replicates.
    """
    a = np.asarray(problem.measurement.operator.matrix)[0]
    numbers: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "measured": lambda x: x @ a,
        "first": lambda x: x[..., 0],
    }
    found: dict[str, Any] = {"finite": bool(np.all(np.isfinite(draws)))}
    for name, number in numbers.items():
        ranks = np.sum(number(draws) < number(truth)[:, None], axis=1)
        counts = np.bincount(ranks, minlength=DRAWS + 1)
        z = (ranks.mean() - DRAWS / 2) / np.sqrt(DRAWS * (DRAWS + 2) / 12 / len(ranks))
        p, p_mean = stats.chisquare(counts).pvalue, 2 * stats.norm.sf(abs(z))
        found[name] = {"p": float(p), "p_mean": float(p_mean), "counts": counts}
    return found
