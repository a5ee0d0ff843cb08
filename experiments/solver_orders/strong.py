"""Errors along one Brownian path, from a solution on a fine grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.solver_orders.measure import ENDS, grid, normal, padded
from score_sde.samplers import BrownianPath, Predictor
from score_sde.sdes import GaussianSDE
from score_sde.typing import Array, Batch

PATHS = 256
FINER = 16  # times the most steps that are measured


class Numbered(NamedTuple):
    """A number of steps and its times, padded to the most, so that one program serves all numbers."""

    n_steps: int
    times: Array


@jax.jit
def run(predictor: Predictor, model: Any, x: Batch, known: Numbered, key: Array) -> Batch:
    """x after the steps, along the path of the key."""

    def advance(i: Array, carry: tuple[Batch, Any]) -> tuple[Batch, Any]:
        x, memory = carry
        t, s = known.times[i], known.times[i + 1]
        noise = BrownianPath()(key, key, predictor, model.sde, t, s)
        step = predictor.step(noise, model, x, t, s, memory)
        return step.x, step.memory

    begun = x, predictor.init(model, x, known.times[0])
    return jax.lax.fori_loop(0, known.n_steps, advance, begun)[0]


class StrongErrors:
    """Root mean square distance, on the same paths, from the predictor's result at 16 times the most steps.

    The data law is the normal one of the moments, and x begins as its x_t. With a mixture, now and then a
    path of few steps ends at another component than that of many, and these few decide the mean.
    """

    def __init__(self, sde: GaussianSDE, counts: Sequence[int]) -> None:
        self.model, self.path = normal(sde), jax.random.key(1)
        fine = FINER * max(counts)
        self.known = [Numbered(n, padded(grid(sde, n), fine)) for n in (*counts, fine)]
        first, (data_key, noise_key) = jnp.asarray(ENDS[0] * sde.T), jax.random.split(jax.random.key(0))
        x0 = self.model.sample(data_key, PATHS)
        self.start = sde.alpha(first) * x0 + sde.sigma(first) * jax.random.normal(noise_key, x0.shape)

    def __call__(self, predictor: Predictor) -> list[float]:
        """For each number of steps."""
        found = [run(predictor, self.model, self.start, known, self.path) for known in self.known]
        return [float(np.sqrt(np.mean(np.square(x - found[-1])))) for x in found[:-1]]
