"""Training an autoencoder for latents."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.arrays import mean_per_example, sum_per_example
from score_sde.errors import InputError
from score_sde.objectives.base import Objective
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class Autoencoding(Objective):
    """mean (decode(z) - x)^2 + kl_weight KL(q(z given x), N(0, I)) / dimensions of x, z drawn from q.

    The evidence bound of a Gaussian decoder of variance kl_weight / 2, up to constants and scale (Kingma and
    Welling 2014; Rombach et al. 2022, appendix G, without the perceptual and adversarial terms). For a
    ``denoisers.Autoencoder``.

    Attributes:
        kl_weight: near 0 latents hold everything, and their law is far from normal.
    """

    kl_weight: float = 1e-3

    def __post_init__(self) -> None:
        if not self.kl_weight >= 0:
            raise InputError("Autoencoding.kl_weight", self.kl_weight, "at least 0", "0.001 is usual here")

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example with one draw of its latent."""
        del cond
        posterior = model.posterior(x0)
        error = mean_per_example(jnp.square(model.decode(posterior.sample(key)) - x0))
        divergence = normal_divergence(posterior.mean, posterior.log_variance)
        return error + self.kl_weight * divergence / (x0.size / len(x0))


def normal_divergence(mean: Array, log_variance: Array) -> PerExample:
    """KL(N(mean, exp(log_variance)), N(0, I)) of each example, in nats."""
    excess = jnp.expm1(log_variance) - log_variance
    return 0.5 * sum_per_example(jnp.square(mean) + excess)
