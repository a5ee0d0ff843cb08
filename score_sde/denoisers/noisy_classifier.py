"""Classifiers that are told how noisy their input is."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde.arrays import per_example
from score_sde.denoisers.base import Labels, ScoreModel
from score_sde.denoisers.callables import as_pytree
from score_sde.denoisers.labels import TimeLabels
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time


class NoisyClassifier(ScoreModel):
    """p(y | x_t) as a softmax over classes; its score grad_x log p(y | x_t) guides a diffusion model.

    Dhariwal and Nichol 2021, section 4; Song et al. 2021, section 5. By Bayes' rule the score of a
    denoiser plus this one is that of p(x_t | y).

    Attributes:
        sde: the process that made the input noisy.
        network: ``network(x, labels, key=key)`` -> logits (batch, classes).
        labels: what the network is told about the time.
    """

    sde: GaussianSDE
    network: Any
    labels: Labels = TimeLabels()

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", as_pytree("NoisyClassifier.network", self.network))

    def logits(self, x: Batch, t: Time, *, key: Key | None = None) -> Array:
        """Logits (batch, classes)."""
        return self.network(x, self.labels(self.sde, per_example(t, x)), key=key)

    def log_prob(self, x: Batch, t: Time, cond: Array, *, key: Key | None = None) -> PerExample:
        """log p(y | x_t) in nats, of the integer classes ``cond`` (batch,)."""
        log_probs = jax.nn.log_softmax(self.logits(x, t, key=key), axis=-1)
        return jnp.take_along_axis(log_probs, jnp.asarray(cond)[:, None], axis=-1)[:, 0]

    def score(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """grad_x log p(y | x_t)."""
        return jax.grad(lambda x: jnp.sum(self.log_prob(x, t, cond, key=key)))(x)
