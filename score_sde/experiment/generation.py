"""Any number of samples in data units, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.data.base import Dataset
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Sampling
from score_sde.training.conditions import Condition
from score_sde.typing import Key

CONDITIONS = 2**31  # folded into the key for conditions; batches fold in their numbers, which are smaller


class Drawn(NamedTuple):
    """Samples (n, *shape) in data units, and the conditions that they were drawn under."""

    samples: np.ndarray
    cond: Any


def draw(
    key: Key,
    *,
    sampler: Sampling,
    model: ScoreModel,
    data: Dataset,
    n: int,
    batch: int,
    condition: Condition,
    report: Callable[[str], None] = lambda line: None,
) -> Drawn:
    """``n`` samples, drawn ``batch`` at a time, under the conditions of ``condition.sample``.

    Every batch has the same shape, so that the sampler compiles once; the i-th sample depends on the
    key, i and the batch size only, so asking for more keeps those that were drawn.
    """
    size = min(batch, n)
    parts, conds = [], []
    for i in range(-(-n // size)):
        report(f"sampling: {min((i + 1) * size, n)} of {n}")
        cond = conditions(key, condition, data, np.arange(i * size, (i + 1) * size))
        x = sampler(jax.random.fold_in(key, i), model, (size, *data.shape), cond)
        parts.append(np.asarray(data.units.decode(x)))
        conds.append(cond)
    cond = jax.tree.map(lambda *leaves: np.concatenate(leaves)[:n], *conds)
    return Drawn(stored(np.concatenate(parts)[:n]), cond)


def conditions(key: Key, condition: Condition, data: Dataset, indices: np.ndarray) -> Any:
    """What ``draw`` with this key tells the model of the samples of these indices."""
    return condition.sample(jax.random.fold_in(key, CONDITIONS), jnp.asarray(indices), data)


def stored(values: np.ndarray) -> np.ndarray:
    """Whole numbers that fit as bytes become bytes; all else stays as it is."""
    whole = np.isfinite(values).all() and np.all(values == np.floor(values))
    return values.astype(np.uint8) if whole and values.min() >= 0 and values.max() <= 255 else values
