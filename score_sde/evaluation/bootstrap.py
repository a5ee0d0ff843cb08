"""Intervals of a mean over forecasts that overlap in time, and over seeds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from score_sde.errors import InputError

Z95 = 1.96  # standard deviations on either side


class Interval(NamedTuple):
    """A mean, and how far its 95 % interval goes to either side."""

    mean: float
    half_width: float


def block_interval(values: np.ndarray, block: int, *, draws: int = 2000, seed: int = 0) -> Interval:
    """The mean of values (seeds, times): the moving-block bootstrap over times, Student's t over seeds.

    Times come in blocks of neighbours, since forecasts that overlap err alike (Kunsch 1989). The half-widths
    of both add in squares.

    Args:
        values: (seeds, times), NaN where there is none; one seed where nothing is random.
        block: times in a block; cut to a third of all.
        draws: of the bootstrap.
        seed: of these.

    Raises:
        InputError: another shape, or no value at all.
    """
    values = np.asarray(values, float)
    if values.ndim != 2 or not np.isfinite(values).any():
        raise InputError("values", f"shape {values.shape}", "(seeds, times) with a number among them")
    rng, (seeds, times) = np.random.default_rng(seed), values.shape
    block = max(1, min(block, times // 3))
    starts = rng.integers(0, times - block + 1, (draws, -(-times // block)))
    places = (starts[..., None] + np.arange(block)).reshape(draws, -1)[:, :times]
    over_times = np.nanvar(np.nanmean(np.nanmean(values, axis=0)[places], axis=1))
    means = np.nanmean(values, axis=1)
    over_seeds = np.var(means, ddof=1) / seeds if seeds > 1 else 0.0
    student = stdtrit(seeds - 1, 0.975) if seeds > 1 else 0.0
    half_width = np.sqrt(Z95**2 * over_times + student**2 * over_seeds)
    return Interval(float(np.nanmean(values)), float(half_width))
