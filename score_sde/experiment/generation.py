"""Any number of samples in data units, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from score_sde.data.base import Dataset
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Sampling
from score_sde.typing import Key


def draw(
    key: Key,
    *,
    sampler: Sampling,
    model: ScoreModel,
    data: Dataset,
    n: int,
    batch: int,
    report: Callable[[str], None] = lambda line: None,
) -> np.ndarray:
    """``n`` samples in data units, (n, *shape), drawn ``batch`` at a time.

    Every batch has the same shape, so that the sampler compiles once; the i-th sample depends on the
    key, i and the batch size only, so asking for more keeps those that were drawn.
    """
    size = min(batch, n)
    parts = []
    for i in range(-(-n // size)):
        report(f"sampling: {min((i + 1) * size, n)} of {n}")
        x = sampler(jax.random.fold_in(key, i), model, (size, *data.shape))
        parts.append(np.asarray(data.units.decode(x)))
    return stored(np.concatenate(parts)[:n])


def stored(values: np.ndarray) -> np.ndarray:
    """Whole numbers that fit as bytes become bytes; all else stays as it is."""
    whole = np.isfinite(values).all() and np.all(values == np.floor(values))
    return values.astype(np.uint8) if whole and values.min() >= 0 and values.max() <= 255 else values
