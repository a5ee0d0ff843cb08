"""Progressive distillation: a model that does in one step what its teacher does in two."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.arrays import expand, mean_per_example
from score_sde.errors import InputError
from score_sde.integrators.nodes import Nodes, UniformNodes
from score_sde.objectives.base import Objective, Weighting
from score_sde.objectives.weights import TruncatedSNR
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class ProgressiveDistillation(Objective):
    """E factor |D(x_t, t) - target|^2 at the times of N steps of DDIM (Salimans and Ho 2022, algorithm 2).

    The target is the x_0 with which one step of DDIM from x_t ends where two of the teacher do:
    (x_s - sigma_s / sigma_t x_t) / (alpha_s - sigma_s / sigma_t alpha_t). One run halves the steps once: the
    student is the next run's teacher. Sample it with ``samplers.DDIM`` on the same times.

    Attributes:
        teacher: a model of the same SDE, at 2 N steps.
        steps: N.
        nodes: where the 2 N steps lie between T and t_min; the student's are every second one.
        t_min: where they end.
        weight: what the residual is taken of, and its factor.
    """

    teacher: Any
    steps: int = static(1)
    nodes: Nodes = UniformNodes()
    t_min: float = 0.0
    weight: Weighting = TruncatedSNR()

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError("ProgressiveDistillation.steps", self.steps, "a positive count", "1 is the last")
        if not self.t_min >= 0:
            raise InputError("ProgressiveDistillation.t_min", self.t_min, "a time of at least 0", "raise it")

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example at one random step with one draw of noise."""
        step_key, noise_key, model_key = jax.random.split(key, 3)
        step = jax.random.randint(step_key, x0.shape[:1], 0, self.steps)
        return self.at(model, x0, step, arrays.normal_like(noise_key, x0), cond, key=model_key)

    def at(
        self,
        model: Any,
        x0: Batch,
        step: Array,
        z: Batch,
        cond: Condition = None,
        *,
        key: Key | None = None,
    ) -> PerExample:
        """Loss of each example at given steps, of which 0 begins at T, and noise."""
        sde = model.sde
        t, middle, s = self._times(sde, step, x0.dtype)
        x = expand(sde.alpha(t), x0) * x0 + expand(sde.sigma(t), x0) * z
        there = ddim(self.teacher, ddim(self.teacher, x, t, middle, cond), middle, s, cond)
        wanted = jax.lax.stop_gradient(solved(sde, x, there, t, s))
        noise = (x - expand(sde.alpha(t), x) * wanted) / expand(sde.sigma(t), x)
        residual = self.weight.residual(model, x, t, wanted, noise, cond, key)
        return self.weight(sde, t) * mean_per_example(jnp.square(residual))

    def _times(self, sde: Any, step: Array, dtype: Any) -> tuple[Array, Array, Array]:
        """Where the steps begin, their middles and where they end."""
        first, last = jnp.asarray(sde.T, dtype), jnp.asarray(self.t_min, dtype)
        times = self.nodes(first, last, 2 * self.steps)
        return times[2 * step], times[2 * step + 1], times[2 * step + 2]


def ddim(model: Any, x: Batch, t: PerExample, s: PerExample, cond: Condition) -> Batch:
    """alpha_s D + sigma_s E[z | x_t], each example with its own times (Song, Meng and Ermon 2021, eq. 12)."""
    estimate = model.estimate(x, t, cond)
    alpha, sigma = expand(model.sde.alpha(s), x), expand(model.sde.sigma(s), x)
    return alpha * estimate.denoised + sigma * estimate.noise


def solved(sde: Any, x: Batch, there: Batch, t: PerExample, s: PerExample) -> Batch:
    """The D whose step of DDIM takes x at t to ``there`` at s."""
    ratio = sde.sigma(s) / sde.sigma(t)
    divisor = sde.alpha(s) - ratio * sde.alpha(t)
    return (there - expand(ratio, x) * x) / expand(divisor, x)
