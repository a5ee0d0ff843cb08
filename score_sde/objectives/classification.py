"""Training a classifier on noisy inputs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.arrays import expand, per_example
from score_sde.errors import InputError
from score_sde.objectives.base import Objective, Times
from score_sde.objectives.times import UniformTimes
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time


class NoisyClassification(Objective):
    """E -log p(y | x_t) at x_t = alpha x_0 + sigma z, in nats (Dhariwal and Nichol 2021, section 4).

    For a ``denoisers.NoisyClassifier``; the condition is the labels y. Its minimiser is the classifier
    whose score guides a denoiser to the class.

    Attributes:
        times: law of t; ``UniformSteps`` for those of a chain.
    """

    times: Times = UniformTimes()

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example at one random time with one draw of noise."""
        if cond is None:
            raise InputError("condition", None, "class labels", "set condition=call(ClassLabels)")
        time_key, noise_key, model_key = jax.random.split(key, 3)
        t = self.times(time_key, model.sde, x0.shape[0])
        return self.at(model, x0, t, arrays.normal_like(noise_key, x0), cond, key=model_key)

    def at(
        self, model: Any, x0: Batch, t: Time, z: Batch, cond: Array, *, key: Key | None = None
    ) -> PerExample:
        """Loss of each example at given times and noise."""
        t = per_example(t, x0)
        x = expand(model.sde.alpha(t), x0) * x0 + expand(model.sde.sigma(t), x0) * z
        log_probs = jax.nn.log_softmax(model.logits(x, t, key=key), axis=-1)
        return -jnp.take_along_axis(log_probs, cond[:, None], axis=-1)[:, 0]
