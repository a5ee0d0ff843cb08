"""The gradient by which a classifier guides."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.guidance.checks import label_of
from score_sde.typing import Array, Batch, Condition, Key, Time


def require_temperature(where: str, classifier: Any, temperature: Any) -> None:
    """Raise where a temperature other than 1 is asked of something that has no logits to divide."""
    known = not isinstance(temperature, jax.core.Tracer)
    if known and not hasattr(classifier, "logits") and jnp.any(jnp.asarray(temperature) != 1):
        remedy = f"{type(classifier).__name__} has no logits to divide; change the scale"
        raise InputError(where, temperature, "1", remedy)


def guiding_gradient(
    classifier: Any, temperature: Array | float, x: Batch, t: Time, cond: Condition, key: Key | None
) -> Batch:
    """grad_x log softmax(logits(x, t) / temperature)[label]; of what has no logits, its score."""
    if not hasattr(classifier, "logits"):
        return classifier.score(x, t, cond, key=key)
    label = label_of("ClassifierGuided", cond)

    def log_prob(x: Batch) -> Array:
        logits = classifier.logits(x, t, key=key)
        log_probs = jax.nn.log_softmax(logits / temperature, axis=-1)
        return jnp.sum(jnp.take_along_axis(log_probs, label[:, None], axis=-1))

    return jax.grad(log_prob)(x)
