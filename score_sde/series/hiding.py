"""Which values of a window are seen: forecasts, gaps and blocks as one kind of thing."""

from __future__ import annotations

import numpy as np

from score_sde.errors import InputError


def past(length: int, horizon: int) -> np.ndarray:
    """All but the last ``horizon`` values, (length,) of booleans: a forecast's."""
    if not 0 < horizon < length:
        raise InputError("horizon", horizon, f"a count from 1 to {length - 1}", "a window has a past")
    return np.arange(length) < length - horizon


def but_a_block(length: int, size: int, start: int) -> np.ndarray:
    """All but ``size`` values in a row from ``start`` on."""
    places = np.arange(length)
    return (places < start) | (places >= start + size)


def but_gaps(rng: np.random.Generator, length: int, count: int, first: int = 0) -> np.ndarray:
    """All but ``count`` values at random, none of them before ``first``."""
    seen = np.ones(length, bool)
    seen[rng.choice(np.arange(first, length), count, replace=False)] = False
    return seen


def any_hiding(rng: np.random.Generator, length: int, horizon: int) -> np.ndarray:
    """What models are trained on: half of the time a forecast, else gaps or a block somewhere."""
    kind = rng.random()
    if kind < 0.5:
        return past(length, horizon)
    if kind < 0.75:
        return but_gaps(rng, length, int(rng.integers(1, length // 2)))
    size = int(rng.integers(2, min(horizon, length - 2) + 1)) if horizon > 1 else 1
    return but_a_block(length, size, int(rng.integers(0, length - size + 1)))
