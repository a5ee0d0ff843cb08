"""The training objective on held-out examples."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.data.batches import in_order
from score_sde.denoisers import Deterministic
from score_sde.experiment.measures.base import Measure, Measurement, Subject
from score_sde.pytree import static
from score_sde.typing import Array, Key


class Loss(Measure):
    """Mean objective over a split, with as many draws of times and noise per example as ``draws``."""

    split: str = static("test")
    draws: int = static(8)
    batch_size: int = static(512)

    def __call__(self, subject: Subject) -> Measurement:
        """``loss`` and ``loss_stderr`` over examples."""
        model = Deterministic.of(subject.model)  # dropout is for training

        @jax.jit
        def losses(key: Key, batch: dict[str, Array]) -> Array:
            x0, cond = subject.encoded(jax.random.fold_in(key, 0), batch)
            keys = jax.random.split(jax.random.fold_in(key, 1), self.draws)
            return jnp.mean(jax.vmap(lambda k: subject.objective(k, model, x0, cond))(keys), axis=0)

        key = subject.key("loss")
        parts = [
            np.asarray(losses(jax.random.fold_in(key, i), batch))
            for i, batch in enumerate(in_order(subject.data.split(self.split), self.batch_size))
        ]
        values = np.concatenate(parts)
        mean, error = float(values.mean()), float(values.std() / np.sqrt(len(values)))
        return Measurement(
            {"loss": mean, "loss_stderr": error}, [("loss", mean, error, f"{self.split} split")]
        )
