"""One digit becomes the next, and stays in the same hand: bridges between classes by way of noise."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from experiments.dream.models import Digits, labels
from experiments.dream.stage import Stage
from score_sde.typing import Batch

SHOWN = 3  # of each class


def play(stage: Stage) -> dict[str, float]:
    """How many are read as the new class; whether the way back undoes it; whether the hand is kept.

    The hand is how much ink a digit has beyond the mean of its class, here and there: its correlation over
    digits, which of fresh draws would be zero.
    """
    digits, bridge = stage.digits, stage.bridge
    x, classes = digits.test_digits(stage.size.judged)
    there = (classes + 1) % digits.classes
    drawn = bridge(digits.model, digits.model, x, labels(classes), labels(there))
    back = bridge(digits.model, digits.model, drawn, labels(there), labels(classes))
    columns = digits.classes
    rows = [
        each[i * columns : (i + 1) * columns]
        for i in range(min(SHOWN, len(x) // columns))
        for each in (x, drawn)
    ]
    stage.save_sheet("bridge", digits.pixels(np.concatenate([np.asarray(row) for row in rows])), columns)
    return {
        "read as the next class": float(np.mean(digits.read(drawn)[0] == there)),
        "error of the way back": float(jnp.sqrt(jnp.mean(jnp.square(back - x)))),
        "size of the change": float(jnp.sqrt(jnp.mean(jnp.square(drawn - x)))),
        "correlation of ink": float(
            np.corrcoef(_ink(digits, x, classes), _ink(digits, drawn, classes))[0, 1]
        ),
    }


def _ink(digits: Digits, x: Batch, classes: np.ndarray) -> np.ndarray:
    """Ink of each digit, less the mean of those with the same class."""
    ink = np.asarray(x).reshape(len(x), -1).mean(axis=1)
    means = np.array([ink[classes == label].mean() for label in range(digits.classes)])
    return ink - means[classes]
