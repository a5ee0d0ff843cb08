"""Trajectories given observations by many of them: the bootstrap filter."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from score_sde.dynamics.base import MarkovProcess
from score_sde.inverse.base import Noise, Operator
from score_sde.inverse.particles import systematic
from score_sde.typing import Array, Batch, Key


class Filtered(NamedTuple):
    """Particles given observations up to their own time, and who descends from whom."""

    states: Batch  # (length, particles, *shape), resampled
    ancestors: Array  # (length, particles): which of the states before each came from; of the first, itself
    log_evidence: Array  # estimate of log p(observations), in nats

    def trajectories(self, key: Key, n: int) -> Batch:
        """``n`` draws (n, length, *shape) of the smoothing law, by tracing ancestors from the end.

        All of them share few beginnings where the length is long for the number of particles.
        """
        chosen = jax.random.randint(key, (n,), 0, self.states.shape[1])

        def back(place: Array, row: tuple[Batch, Array]) -> tuple[Array, Batch]:
            states, ancestors = row
            return ancestors[place], states[place]

        _, found = jax.lax.scan(back, chosen, (self.states, self.ancestors), reverse=True)
        return jnp.moveaxis(found, 0, 1)


def bootstrap_filter(
    key: Key,
    system: MarkovProcess,
    first: Batch,
    seen: Array,
    when: Array,
    operator: Operator,
    noise: Noise,
) -> Filtered:
    """Gordon, Salmond and Smith 1993: move by the system, weigh by the observation, resample.

    Args:
        key: of all randomness.
        system: that moves the particles; for a model that is learnt of it, ``FromForecaster``.
        first: draws of the law of the first state, (particles, *shape).
        seen: observations (length, *measured); rows that ``when`` leaves out may hold anything finite.
        when: booleans (length,), where there is an observation.
        operator: of one state.
        noise: of the observation.
    """
    return _filter(key, system, first, seen, when, operator, noise)


@jax.jit
def _filter(
    key: Key, system: MarkovProcess, first: Batch, seen: Array, when: Array, operator: Operator, noise: Noise
) -> Filtered:
    count = len(first)

    def weigh(key: Key, x: Batch, y: Array, there: Array) -> tuple[Array, Array]:
        logs = noise.log_prob(jnp.broadcast_to(y, (count, *y.shape)), operator(x))
        logs = jnp.where(there, logs, 0.0)
        evidence = jax.nn.logsumexp(logs) - jnp.log(count)
        places = jnp.where(there, systematic(key, logs, count), jnp.arange(count))
        return places, evidence

    def step(carry: tuple[Batch, Array], row: tuple[Key, Array, Array, Array]) -> tuple[Any, Any]:
        x, start = carry
        key, y, there, _ = row
        move_key, pick_key = jax.random.split(key)
        x = jnp.where(start, x, system.step(move_key, x))
        places, evidence = weigh(pick_key, x, y, there)
        return (x[places], jnp.asarray(False)), (x[places], places, evidence)

    keys = jax.random.split(key, len(seen))
    rows = (keys, seen, when, jnp.arange(len(seen)))
    _, (states, ancestors, evidence) = jax.lax.scan(step, (first, jnp.asarray(True)), rows)
    return Filtered(states, ancestors, jnp.sum(evidence))
