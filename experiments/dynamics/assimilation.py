"""Trajectories from few noisy observations: score models, particles, ensembles, and the exact smoother."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.dynamics.models import Learnt, corrected, quick, sampler
from experiments.dynamics.sizes import Amount
from score_sde.denoisers import Gaussian, Middle, Tiled
from score_sde.denoisers.base import Denoiser
from score_sde.dynamics import (
    Filtered,
    FromForecaster,
    InUnits,
    Smoothed,
    bootstrap_filter,
    ensemble_kalman_filter,
    kalman_smoother,
)
from score_sde.inverse import MMPS, GaussianNoise, GaussianScore, Mask, Measurement
from score_sde.sdes import VP
from score_sde.typing import Key

INFLATION = 1.05  # of the ensemble Kalman filter
SMALL = 8  # values of a state, up to which trajectories are compared with particles' and inpainted
GAMMA = 0.3  # of the Gaussian score
CHAIN_STEPS = 96  # of the sampler where the score of whole trajectories is exact
MOVE_STEPS = 20  # of the sampler that moves particles
COMPOSED, MOVED = "score model of windows", "score model of next states"
PARTICLES, ENKF, CLIMATE = "bootstrap filter", "ensemble Kalman filter", "climatology"
EXACT_CHAIN, EXACT_WINDOWS = "exact score of trajectories", "exact score of windows"


class Problem(NamedTuple):
    """A trajectory of the system, in the units of models, and what is seen of it."""

    truth: np.ndarray  # (length, *field)
    seen: np.ndarray  # (length, observed), 0 in rows without an observation


def problems(learnt: Learnt, amount: Amount, key: Key) -> list[Problem]:
    """As many as the amount says, each from a state that nothing was learnt from."""
    part, keys = learnt.part, jax.random.split(key, 3)
    chosen = jax.random.choice(keys[0], len(learnt.held), (amount.problems,), replace=False)
    truth = learnt.system.simulate(keys[1], jnp.asarray(learnt.held)[chosen], part.length)
    clean = truth.reshape(*truth.shape[:2], -1)[..., part.where.ravel()]
    seen = clean + part.std * jax.random.normal(keys[2], clean.shape)
    seen = jnp.where(part.when[:, None], seen, 0.0)
    return [Problem(*pair) for pair in zip(np.asarray(truth), np.asarray(seen), strict=True)]


def measurement(learnt: Learnt, problem: Problem) -> Measurement:
    """All observations of a trajectory at once."""
    part = learnt.part
    mask = part.when.reshape(-1, *[1] * len(part.field)) & part.where
    y = jnp.asarray(problem.seen[part.when].reshape(1, -1))
    return Measurement(y=y, operator=Mask(mask=mask), noise=_noise(learnt))


def method(name: str, learnt: Learnt, amount: Amount) -> Any:
    """What draws trajectories: score-based data assimilation, and what is exact for the exact score.

    The composed score errs where the noise is large: Langevin steps at each noise mend on the way down what
    was drawn wrongly above (Rozet and Louppe 2023, algorithm 4).
    """
    if name == EXACT_CHAIN:
        observed = int(learnt.part.when.sum() * learnt.part.where.sum())
        return MMPS(sampler=sampler(CHAIN_STEPS), iterations=observed)
    return GaussianScore(sampler=corrected(amount.method_steps), gamma=GAMMA)


def smoothed_by_scores(
    key: Key, learnt: Learnt, amount: Amount, problem: Problem, others: dict[str, Denoiser]
) -> dict[str, np.ndarray]:
    """Trajectories (draws, length, *field) by the composed model and by others."""
    observations, found = measurement(learnt, problem), {}
    for number, (name, model) in enumerate({COMPOSED: learnt.trajectory, **others}.items()):
        exact = name in (EXACT_CHAIN, EXACT_WINDOWS)
        shape = (amount.exact_draws if exact else amount.draws, *problem.truth.shape)
        draw = method(name, learnt, amount)
        found[name] = np.asarray(draw(jax.random.fold_in(key, number), model, observations, shape))
    return found


def first_states(key: Key, learnt: Learnt, amount: Amount, n: int) -> Any:
    """``n`` draws of the law of the first state: of the pool if it has so many, else simulated."""
    if n <= len(learnt.pool):
        return jnp.asarray(learnt.pool)[jax.random.choice(key, len(learnt.pool), (n,), replace=False)]
    return learnt.system.trajectories(key, n, 1, burn_in=amount.burn_in)[:, 0]


def particles(key: Key, learnt: Learnt, amount: Amount, problem: Problem) -> Filtered:
    """The bootstrap filter, with as many as the amount says."""
    keys = jax.random.split(key)
    first = first_states(keys[0], learnt, amount, amount.particles)
    return bootstrap_filter(keys[1], learnt.system, first, *_observed(learnt, problem), _noise(learnt))


def moved(key: Key, learnt: Learnt, amount: Amount, problem: Problem) -> Filtered:
    """The same filter without the system: states that were learnt from, moved by the model of the next."""
    keys = jax.random.split(key)
    forecaster = learnt.following.replace(sampler=quick(MOVE_STEPS))
    process = FromForecaster(forecaster=forecaster, states=jnp.asarray(learnt.pool))
    first = process.start(keys[0], amount.moved)
    return bootstrap_filter(keys[1], process, first, *_observed(learnt, problem), _noise(learnt))


def ensemble(key: Key, learnt: Learnt, amount: Amount, problem: Problem) -> np.ndarray:
    """The ensemble Kalman filter's members at the last time, (members, *field)."""
    keys = jax.random.split(key)
    first = first_states(keys[0], learnt, amount, amount.members)
    found = ensemble_kalman_filter(
        keys[1], learnt.system, first, *_observed(learnt, problem), learnt.part.std, INFLATION
    )
    return np.asarray(found[-1])


def _observed(learnt: Learnt, problem: Problem) -> tuple[Any, Any, Mask]:
    return jnp.asarray(problem.seen), jnp.asarray(learnt.part.when), Mask(mask=learnt.part.where)


def _noise(learnt: Learnt) -> GaussianNoise:
    return GaussianNoise(std=jnp.float32(learnt.part.std))


def exact_smoother(learnt: Learnt, problem: Problem) -> Smoothed:
    """Kalman's, of a linear system, in the units of models."""
    part, system = learnt.part, learnt.system
    observe = np.eye(part.where.size)[part.where.ravel()]
    seen = np.where(part.when[:, None], problem.seen, np.nan)
    raw_std = np.ravel(np.broadcast_to(system.std, part.field))[part.where.ravel()]
    raw_mean = np.ravel(np.broadcast_to(system.mean, part.field))
    raw = seen * raw_std + raw_mean[part.where.ravel()]
    found = kalman_smoother(part.system, raw, observe, float(part.std * raw_std[0]))
    std = np.ravel(np.broadcast_to(system.std, part.field))
    return Smoothed(
        (found.means - raw_mean) / std, found.covariances / np.outer(std, std), found.log_evidence
    )


def exact_models(learnt: Learnt) -> dict[str, Denoiser]:
    """Of a linear system: the denoiser of the whole chain, and that of windows, composed."""
    part = learnt.part
    tile, stride = (part.window, *part.field), (1, *part.field[:-1])
    short = exact_chain(learnt.system, part.window)
    composed = Tiled(sde=short.sde, model=short, tile=tile, stride=stride, weights=Middle())
    return {EXACT_CHAIN: exact_chain(learnt.system, part.length), EXACT_WINDOWS: composed}


def exact_chain(system: InUnits, length: int) -> Gaussian:
    """The denoiser of ``length`` states of a linear system in the units of models."""
    mean, covariance = system.system.joint(length)
    std = np.tile(np.ravel(np.broadcast_to(system.std, system.field)), length)
    states = np.asarray(system.encode(mean))
    return Gaussian(sde=VP(), mean=states, covariance=covariance / np.outer(std, std))
