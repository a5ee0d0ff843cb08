"""Windows of a series, and what a network is told of one beside the innovations of its hidden values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from score_sde.errors import InputError
from score_sde.series.normal_law import Conditional, NormalLaw

CHANNELS = 5  # of what is told: hidden or not, value or its mean, its standard deviation, place in the season


@dataclass(frozen=True)
class Windows:
    """Pieces of a series."""

    values: np.ndarray  # (n, length), NaN where there is no value
    phases: np.ndarray  # (n,), place of the first value in the season

    def __getitem__(self, chosen: np.ndarray) -> Windows:
        """Some of them, by their numbers or a mask."""
        return Windows(self.values[chosen], self.phases[chosen])


def windows(values: np.ndarray, length: int, starts: np.ndarray, season: int) -> Windows:
    """Those that begin at ``starts`` of a series (n,) whose first value begins a season."""
    if len(values) < length:
        raise InputError("values of the series", len(values), f"at least {length}, a window", "give more")
    return Windows(sliding_window_view(values, length)[starts].copy(), np.asarray(starts) % season)


def by_what_is_seen(
    law: NormalLaw, parts: Windows, seen: np.ndarray
) -> Iterator[tuple[np.ndarray, Conditional]]:
    """Windows (their numbers) that are seen in the same places, and the law of what is hidden there.

    Args:
        law: of windows.
        parts: (n, length); what is NaN is hidden whatever ``seen`` says.
        seen: (length,) or (n, length).
    """
    masks = np.broadcast_to(seen, parts.values.shape) & np.isfinite(parts.values)
    kinds, which = np.unique(masks, axis=0, return_inverse=True)
    for number, mask in enumerate(kinds):
        yield np.flatnonzero(which.ravel() == number), law.conditional(mask)


def told(law: NormalLaw, given: Conditional, parts: Windows) -> np.ndarray:
    """What a network is told of windows, (n, length, CHANNELS), in units of the law's scale.

    1 where a value is hidden; the value, or its conditional mean where it is hidden, about the law's mean
    (of differences: and about the mean of those seen); its conditional standard deviation; cosine and sine
    of its place in the season. Nothing hidden is looked at.
    """
    hidden, mean = ~given.seen, law.mean(parts.phases)
    level = np.where(hidden, 0.0, parts.values) - np.where(hidden, 0.0, mean)
    level[:, hidden] = law.hidden_means(given, parts.values, parts.phases) - mean[:, hidden]
    if law.differences and given.seen.any():
        level -= level[:, given.seen].mean(axis=1, keepdims=True)
    spread = np.zeros(law.length)
    spread[hidden] = np.sqrt(np.sum(given.factor**2, axis=1))
    season = len(law.means)
    angle = 2 * np.pi * ((parts.phases[:, None] + np.arange(law.length)) % season) / season
    channels = np.broadcast_arrays(
        hidden.astype(float), level / law.scale, spread / law.scale, np.cos(angle), np.sin(angle)
    )
    return np.stack(channels, axis=-1)


def filled(law: NormalLaw, parts: Windows, rng: np.random.Generator) -> Windows:
    """Windows whose missing values are a draw of the normal law given the others."""
    values = parts.values.copy()
    for rows, given in by_what_is_seen(law, parts, np.ones(law.length, bool)):
        if not given.seen.all():
            x = rng.normal(size=(len(rows), int((~given.seen).sum())))
            values[rows] = law.placed(given, parts.values[rows], parts.phases[rows], x)
    return Windows(values, parts.phases)


def rows(law: NormalLaw, parts: Windows, seen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Innovations of what ``seen`` (length,) hides and what is told of it, (n, length, 1 + CHANNELS).

    Of complete windows. Where a value is seen, its innovation is noise.
    """
    given = law.conditional(seen)
    x = rng.normal(size=parts.values.shape)
    x[:, ~given.seen] = law.innovations(given, parts.values, parts.phases)
    return np.concatenate([x[..., None], told(law, given, parts)], axis=-1).astype(np.float32)
