"""What is asked: forecasts from rolling origins, and values hidden in windows of the test part."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from experiments.series.sources import FIRST, Source
from score_sde.series import Windows, but_a_block, but_gaps, past, windows

FORECAST, GAPS, BLOCK = "forecast", "gaps", "block"
SHARE = 0.3  # of the values after the first that gaps hide


class Task(NamedTuple):
    """Windows of which some values are asked, and the truth.

    Attributes:
        name: forecast, gaps or block.
        starts: first value of each window in the series, (n,).
        seen: (n, length): False where a value is asked.
    """

    name: str
    starts: np.ndarray
    seen: np.ndarray

    def parts(self, source: Source) -> Windows:
        """The windows on the scale of models, with NaN in the place of what is asked."""
        found = windows(source.scaled, source.shape.length, self.starts, source.shape.season)
        return Windows(np.where(self.seen, found.values, np.nan), found.phases)

    def truth(self, source: Source) -> np.ndarray:
        """What is asked, in the units of the data: (n, asked); NaN where nobody knows."""
        found = windows(source.values, source.shape.length, self.starts, 1).values
        return self.asked(found)

    def asked(self, values: np.ndarray) -> np.ndarray:
        """Of windows (..., n, length) what is asked, (..., n, asked): as many in each window."""
        return values[..., ~self.seen].reshape(*values.shape[:-2], len(self.seen), -1)

    def known(self, source: Source, number: int) -> np.ndarray:
        """The series on the scale of models up to the end of a window, NaN where it is asked."""
        start, stop = int(self.starts[number]), int(self.starts[number]) + source.shape.length
        values = source.scaled[:stop].copy()
        values[start:stop][~self.seen[number]] = np.nan
        return values


def task(source: Source, name: str) -> Task:
    """One of the three tasks of a series; what gaps hide is drawn by a fixed seed."""
    length, horizon = source.shape.length, source.shape.horizon
    if name == FORECAST:
        starts = source.origins - source.shape.past
        return Task(name, starts, np.tile(past(length, horizon), (len(starts), 1)))
    starts = source.gap_starts
    if name == BLOCK:
        start = FIRST + (length - FIRST - horizon) // 2
        return Task(name, starts, np.tile(but_a_block(length, horizon, start), (len(starts), 1)))
    rng, count = np.random.default_rng(0), round(SHARE * (length - FIRST))
    masks = [but_gaps(rng, length, count, FIRST) for _ in starts]
    return Task(name, starts, np.stack(masks))


TASKS = (FORECAST, GAPS, BLOCK)
