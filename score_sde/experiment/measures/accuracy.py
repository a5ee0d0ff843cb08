"""How often a classifier of noisy inputs is right, by the amount of noise."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde import arrays
from score_sde.arrays import expand, per_example
from score_sde.data.batches import in_order
from score_sde.experiment.measures.base import Measure, Measurement, Subject
from score_sde.pytree import static
from score_sde.typing import Array, Key


class Accuracy(Measure):
    """The share of examples whose class is among the ``top`` likeliest ones, at each of some times.

    For an experiment whose model is a ``NoisyClassifier``.

    Attributes:
        split: whose examples.
        times: shares of T; 0 is without noise.
        top: 1 asks for the likeliest class itself.
        batch_size: examples at once.
    """

    split: str = static("test")
    times: tuple[float, ...] = static((0.0, 0.25, 0.5, 0.75))
    top: int = static(1)
    batch_size: int = static(256)

    def __call__(self, subject: Subject) -> Measurement:
        """``accuracy_top_1`` (or another number): by share of T, with standard errors over examples."""
        model: Any = subject.model

        @jax.jit
        def hits(key: Key, batch: dict[str, Array]) -> Array:
            x0, labels = subject.encoded(jax.random.fold_in(key, 0), batch)

            def at(share: Array, key: Key) -> Array:
                t = per_example(share * model.sde.T, x0)
                alpha, sigma = expand(model.sde.alpha(t), x0), expand(model.sde.sigma(t), x0)
                logits = model.logits(alpha * x0 + sigma * arrays.normal_like(key, x0), t)
                own = jnp.take_along_axis(logits, labels[:, None], axis=1)
                return jnp.sum(logits > own, axis=1) < self.top

            keys = jax.random.split(jax.random.fold_in(key, 1), len(self.times))
            return jnp.stack([at(jnp.asarray(t), k) for t, k in zip(self.times, keys, strict=True)])

        key = subject.key("accuracy")
        parts = [
            np.asarray(hits(jax.random.fold_in(key, i), batch))
            for i, batch in enumerate(in_order(subject.data.split(self.split), self.batch_size))
        ]
        found = np.concatenate(parts, axis=1)
        means, count = found.mean(axis=1), found.shape[1]
        errors = np.sqrt(means * (1 - means) / count)
        by_time = {f"{t:g}": float(mean) for t, mean in zip(self.times, means, strict=True)}
        stderr = {f"{t:g}": float(error) for t, error in zip(self.times, errors, strict=True)}
        name = f"accuracy_top_{self.top}"
        rows = [(f"accuracy at t = {t} T", by_time[t], stderr[t], f"top {self.top}") for t in by_time]
        return Measurement({name: by_time, f"{name}_stderr": stderr}, rows)
