"""The sampler of Karras et al. 2022."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser, require_not_negative, require_whole
from score_sde.samplers.original.base import require_steps
from score_sde.samplers.rounding import Exact, Rounding
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key

MOST = math.sqrt(2) - 1  # of gamma: a step at most doubles the variance of the noise


class ChurnedHeun(Predictor):
    """A little noise is added, then a Heun step in r = sigma / alpha (Karras et al. 2022, algorithm 2).

    r' = (1 + gamma) r with gamma = min(churn / N, sqrt(2) - 1) where s_min <= r <= s_max and 0 elsewhere;
    y = x / alpha + sqrt(r'^2 - r^2) s_noise z; then from r' to the r of time s with dy/dr = E[z | y], which
    is the paper's step where alpha = 1 and the same step in x / alpha for every other Gaussian SDE. To
    r = 0, and from alpha = 0 where r is infinite, the step is Euler's; two evaluations are counted there
    too. The paper's grid is ``ToZero(grid=Karras())``. The mean of a step is its result.

    Attributes:
        churn: S_churn.
        N: number of steps of the sampler.
        s_min: r from which noise is added.
        s_max: r up to which noise is added.
        s_noise: standard deviation of what is added, relative to what r' asks for.
        rounding: the ratios that the model knows.
    """

    churn: float = 0.0
    N: int = static(18)
    s_min: float = 0.0
    s_max: float = float("inf")
    s_noise: float = 1.0
    rounding: Rounding = Exact()

    def __post_init__(self) -> None:
        require_whole("ChurnedHeun.N", self.N, 1)
        require_not_negative("ChurnedHeun.churn", self.churn)
        require_not_negative("ChurnedHeun.s_noise", self.s_noise)

    @property
    def order(self) -> int:
        """Two."""
        return 2

    @property
    def evaluations(self) -> int:
        """Two."""
        return 2

    def check(self, n_steps: int) -> None:
        """Raise unless N = n_steps."""
        require_steps("ChurnedHeun", self.N, n_steps)

    def step(
        self,
        key: Key,
        model: ScoreModel,
        x: Batch,
        t: Array,
        s: Array,
        memory: Any = (),
        cond: Condition = None,
    ) -> Step:
        """One step."""
        denoiser = require_denoiser("ChurnedHeun", model)
        sde = denoiser.sde
        x, t = self._noisier(sde, x, t, arrays.normal_like(key, x))
        alpha, first = sde.alpha(s), denoiser.estimate(x, t, cond)
        euler = alpha * first.denoised + sde.sigma(s) * first.noise
        twice = sde.has_score(s) & (sde.alpha(t) > 0)
        second = denoiser.estimate(jnp.where(twice, euler, x), jnp.where(twice, s, t), cond)
        width = jnp.where(twice, sde.sigma(s) - alpha * _ratio(sde, jnp.where(twice, t, s)), 0)
        x = euler + 0.5 * width * (second.noise - first.noise)
        return Step(x, x, memory)

    def _noisier(self, sde: GaussianSDE, x: Batch, t: Array, z: Batch) -> tuple[Batch, Array]:
        """x and t after the noise is added; as they are where there is none to add, or no room for it."""
        signal = sde.alpha(t) > 0
        ratio = _ratio(sde, jnp.where(signal, t, 0.5 * sde.T))
        gamma = jnp.minimum(self.churn / self.N, MOST)
        moved = signal & (gamma > 0) & (self.s_min <= ratio) & (ratio <= self.s_max)
        wanted = self.rounding(ratio * (1 + gamma))
        later = jnp.where(moved, sde.time_at_log_snr(-2 * jnp.log(wanted)), t).astype(t.dtype)
        gained = jnp.square(_ratio(sde, jnp.where(moved, later, 0.5 * sde.T))) - jnp.square(ratio)
        std = sde.alpha(later) * jnp.sqrt(jnp.where(moved & (gained > 0), gained, 1))
        scale = sde.alpha(later) / jnp.where(moved, sde.alpha(t), 1)
        noisy = scale * x + jnp.where(gained > 0, std, 0) * self.s_noise * z
        return jnp.where(moved, noisy, x), later


def _ratio(sde: GaussianSDE, t: Array) -> Array:
    return sde.sigma(t) / sde.alpha(t)
