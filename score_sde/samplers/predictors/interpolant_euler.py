"""Euler steps of a stochastic interpolant's SDE, with any amount of noise."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser
from score_sde.samplers.diffusions import Diffusion, MatchedDiffusion
from score_sde.typing import Array, Batch, Condition, Key


class InterpolantEuler(Predictor):
    """x_s = x_t + (s - t) (v - w score) + sqrt(2 w (t - s)) noise, v the flow's velocity, w = diffusion(t).

    The sampler of SiT (Ma et al. 2024), whose noise is chosen after training. Its named last steps, of 0.04,
    are here what follows the grid: "Mean" is ``grid=ToZero(grid=Uniform(t_min=0.04))`` with ``KeepMean()``;
    with ``grid=Uniform(t_min=0.04)`` and one step fewer, "Tweedie" is ``final=Denoise()``, "Euler" is
    ``FlowStep()`` and none ``KeepSample()``. Where w is infinite (``MatchedDiffusion`` at alpha(T) = 0) the
    step is the exact draw N(alpha_s E[x_0], sigma_s^2 I).

    Attributes:
        diffusion: w: ``MatchedDiffusion()``, ``SigmaDiffusion()``, ``ConstantDiffusion()``.
    """

    diffusion: Diffusion = MatchedDiffusion()

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
        denoiser = require_denoiser("InterpolantEuler", model)
        estimate, amount = denoiser.estimate(x, t, cond), self.diffusion(denoiser.sde, t)
        finite = jnp.isfinite(amount)
        amount = jnp.where(finite, amount, 0)
        fresh = denoiser.sde.restart(x, estimate.velocity, t, s)
        # Where there is no noise there need be no score either: sigma = 0.
        pull = jnp.where(amount > 0, amount * jnp.where(amount > 0, estimate.score, 0), 0)
        mean = jnp.where(finite, x + (s - t) * (estimate.velocity - pull), fresh.mean)
        noisy = finite & (amount > 0)
        spread = jnp.where(noisy, jnp.sqrt(jnp.where(noisy, 2 * amount * (t - s), 1)), 0)
        std = jnp.where(finite, spread, fresh.std)
        return Step(mean + std * arrays.normal_like(key, x), mean, memory)
