"""Implicit and sliced score matching: objectives for processes whose kernel is not known."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.arrays import expand, per_example, sum_per_example
from score_sde.divergence import Divergence, ExactDivergence, Hutchinson
from score_sde.errors import InputError
from score_sde.objectives.base import Objective, Perturbation, Times, Weighting
from score_sde.objectives.times import UniformTimes
from score_sde.objectives.weights import SquaredDiffusion
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time


class ClosedKernel(Perturbation):
    """x_t = alpha x_0 + sigma z, for Gaussian SDEs."""

    def __call__(self, key: Key, sde: Any, x0: Batch, t: PerExample) -> Batch:
        """Draw x_t."""
        noise = arrays.normal_like(key, x0)
        return expand(sde.alpha(t), x0) * x0 + expand(sde.sigma(t), x0) * noise


class SimulatedPath(Perturbation):
    """x_t by Euler-Maruyama from 0 to t, for any SDE; weak error of order 1 / n_steps.

    Attributes:
        n_steps: steps of each path; an example at time t takes steps of t / n_steps.
    """

    n_steps: int = static(100)

    def __post_init__(self) -> None:
        if self.n_steps < 1:
            raise InputError("SimulatedPath.n_steps", self.n_steps, "at least 1", "raise it")

    def __call__(self, key: Key, sde: Any, x0: Batch, t: PerExample) -> Batch:
        """Draw x_t."""
        step = t / self.n_steps

        def advance(x: Batch, index: Array) -> tuple[Batch, None]:
            now = index * step
            noise = arrays.normal_like(jax.random.fold_in(key, index), x)
            spread = sde.diffusion(now) * jnp.sqrt(step)
            return x + expand(step, x) * sde.drift(x, now) + expand(spread, x) * noise, None

        return jax.lax.scan(advance, x0, jnp.arange(self.n_steps))[0]


class ImplicitScoreMatching(Objective):
    """E factor(t) (|s|^2 / 2 + div s) at x_t: half the weighted squared error up to a constant.

    Hyvarinen 2005, theorem 1. Needs samples of x_t only, no kernel; sums over dimensions, and may be
    negative.

    Attributes:
        times: law of t.
        weight: factor of the squared error of the score.
        perturbation: how x_t is drawn.
        divergence: exact here.
    """

    times: Times = UniformTimes()
    weight: Weighting = SquaredDiffusion()
    perturbation: Perturbation = SimulatedPath()
    divergence: Divergence = ExactDivergence()

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example at one random time on one random path."""
        time_key, path_key, probe_key, model_key = jax.random.split(key, 4)
        t = per_example(self.times(time_key, model.sde, x0.shape[0]), x0)
        x = self.perturbation(path_key, model.sde, x0, t)
        return self.at(model, x, t, self.divergence.draw(probe_key, x), cond, key=model_key)

    def at(
        self,
        model: Any,
        x: Batch,
        t: Time,
        probes: Any,
        cond: Condition = None,
        *,
        key: Key | None = None,
    ) -> PerExample:
        """Loss of each example at given states, times and probes."""
        t = per_example(t, x)
        score, divergence = self.divergence.estimate(probes, lambda y: model.score(y, t, cond, key=key), x)
        matching = 0.5 * sum_per_example(jnp.square(score)) + jnp.mean(divergence, axis=1)
        return self.times.factor(self.weight, model.sde, t) * matching


class SlicedScoreMatching(ImplicitScoreMatching):
    """Implicit score matching with the divergence estimated on random slices.

    Song et al. 2019, "Sliced score matching", with its variance reduction (SSM-VR); any dimension.
    """

    divergence: Divergence = Hutchinson()
