"""The ensemble Kalman filter: what weather services do where particles are too few."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.arrays import flatten, normal_like
from score_sde.dynamics.base import MarkovProcess
from score_sde.inverse.base import Operator
from score_sde.products import full_matmul
from score_sde.typing import Array, Batch, Key


def ensemble_kalman_filter(
    key: Key,
    system: MarkovProcess,
    first: Batch,
    seen: Array,
    when: Array,
    operator: Operator,
    std: Array | float,
    inflation: float = 1.0,
) -> Batch:
    """Ensembles (length, members, *shape) given observations up to each time (Burgers et al. 1998).

    Each member is moved by the gain cov(x, Ax) (cov(Ax) + std^2 I)^-1, with covariances over the members,
    towards the observation with a noise of its own. For linear systems and many members the Kalman filter;
    otherwise it takes the ensemble for normal.

    Args:
        key: of all randomness.
        system: that moves the members.
        first: draws of the law of the first state, (members, *shape).
        seen: observations (length, *measured).
        when: booleans (length,), where there is an observation.
        operator: of one state.
        std: of the normal noise of observations.
        inflation: deviations from the mean grow by it before each observation, against too small ensembles.
    """
    return _filter(key, system, first, seen, when, operator, std, inflation)


@jax.jit
def _filter(
    key: Key,
    system: MarkovProcess,
    first: Batch,
    seen: Array,
    when: Array,
    operator: Operator,
    std: Array | float,
    inflation: float,
) -> Batch:
    def step(carry: tuple[Batch, Array], row: tuple[Key, Array, Array]) -> tuple[tuple[Batch, Array], Batch]:
        x, start = carry
        key, y, there = row
        move_key, noise_key = jax.random.split(key)
        x = jnp.where(start, x, system.step(move_key, x))
        x = jnp.where(there, _updated(noise_key, x, y, operator, std, inflation), x)
        return (x, jnp.asarray(False)), x

    rows = (jax.random.split(key, len(seen)), seen, when)
    return jax.lax.scan(step, (first, jnp.asarray(True)), rows)[1]


def _updated(key: Key, x: Batch, y: Array, operator: Operator, std: Array | float, inflation: float) -> Batch:
    center = jnp.mean(x, axis=0)
    x = center + inflation * (x - center)
    rows, measured = flatten(x), flatten(operator(x))
    apart, measured_apart = (each - jnp.mean(each, axis=0) for each in (rows, measured))
    spread = full_matmul(measured_apart.T, measured_apart) / (len(x) - 1)
    spread += jnp.square(std) * jnp.eye(measured.shape[1], dtype=x.dtype)
    cross = full_matmul(apart.T, measured_apart) / (len(x) - 1)
    error = y.reshape(1, -1) + std * normal_like(key, measured) - measured
    moved = full_matmul(jnp.linalg.solve(spread, error.T).T, cross.T)
    return (rows + moved).reshape(x.shape)
