"""Learning to denoise from noisy data alone: Stein's unbiased estimate of the risk."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.arrays import expand, mean_per_example, per_example
from score_sde.divergence import Divergence, Hutchinson
from score_sde.objectives.base import Objective, Times
from score_sde.objectives.times import UniformTimes
from score_sde.objectives.weights import DataSquared, DataWeighting
from score_sde.sdes.checks import require_positive
from score_sde.typing import Batch, Condition, Key, PerExample, Time


class UnbiasedRisk(Objective):
    """E factor(t) (|D(x_t, t) - y|^2 / d + 2 std^2 alpha div D / d - std^2) of noisy data y = x_0 + std n.

    x_t = alpha y + sqrt(sigma^2 - alpha^2 std^2) z has the law of alpha x_0 + sigma z', and by Stein's lemma
    the bracket is E|D - x_0|^2 / d without x_0 (Stein 1981; with a Monte-Carlo divergence: Ramani
    et al. 2008; Soltanayev and Chun 2018). So the minimiser is E[x_0 | x_t], as that of denoising score
    matching on clean data, at every time whose noise sigma / alpha is at least ``std``. Earlier times are
    moved there: nothing is learnt of less noise than the data have.

    Attributes:
        std: of the noise in the data, in model space.
        times: law of t before it is moved.
        weight: factor of the squared error of the data.
        divergence: of D; its probes are drawn anew each time.
    """

    std: float
    times: Times = UniformTimes()
    weight: DataWeighting = DataSquared()
    divergence: Divergence = Hutchinson()

    def __post_init__(self) -> None:
        require_positive("UnbiasedRisk.std", self.std)

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example of the noisy batch ``x0`` at one random time."""
        time_key, noise_key, probe_key, model_key = jax.random.split(key, 4)
        t = per_example(self.times(time_key, model.sde, x0.shape[0]), x0)
        t = jnp.maximum(t, model.sde.time_at_log_snr(-2 * jnp.log(jnp.asarray(self.std, t.dtype))))
        z, probes = arrays.normal_like(noise_key, x0), self.divergence.draw(probe_key, x0)
        return self.at(model, x0, t, z, probes, cond, key=model_key)

    def at(
        self,
        model: Any,
        y: Batch,
        t: Time,
        z: Batch,
        probes: Any,
        cond: Condition = None,
        *,
        key: Key | None = None,
    ) -> PerExample:
        """Loss of each noisy example at given times, added noise and probes."""
        t = per_example(t, y)
        alpha, variance = model.sde.alpha(t), jnp.square(self.std)
        added = jnp.sqrt(jnp.maximum(model.sde.variance(t) - jnp.square(alpha) * variance, 0))
        x = expand(alpha, y) * y + expand(added, y) * z
        denoised, divergence = self.divergence.estimate(probes, lambda x: model(x, t, cond, key=key), x)
        slope = alpha * jnp.mean(divergence, axis=1) / y[0].size  # of D by y, a mean over dimensions
        risk = mean_per_example(jnp.square(denoised - y)) + variance * (2 * slope - 1)
        return self.times.factor(self.weight, model.sde, t) * risk
