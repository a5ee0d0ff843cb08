"""Windows of a seasonal series as a normal law, and what it says of hidden values given those seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular, toeplitz

from score_sde.errors import InputError
from score_sde.series.autoregression import autocovariance, chosen_order, extended

LEVEL = 1e4  # variance of an unknown level, in squares of the scale: nothing is known of it
DRIFT = 10.0  # times the variance of drifts in the data: what is seen of a window decides on its own
JITTER = 1e-9  # of the squared scale, added to variances that are divided by


class Conditional(NamedTuple):
    """The law of hidden values: normal, with mean m_h + gain (y_s - m_s) and covariance factor factor^T."""

    seen: np.ndarray  # (length,): True where a value is seen
    gain: np.ndarray  # (hidden, seen)
    factor: np.ndarray  # (hidden, hidden), lower triangular: of each value given those before it


class NormalLaw(NamedTuple):
    """y_t = m_(t mod season) + u_t in windows, or y_t - y_(t-1) = that for ``differences`` = 1.

    u is a normal autoregression. In differences the level of a window is unknown, and its drift varies
    from window to window, more than it did in the data, so that it is taken from what is seen.
    """

    means: np.ndarray  # (season,)
    covariance: np.ndarray  # (length, length) of y about its mean
    scale: float  # a typical deviation of y from its mean, the level apart
    differences: int = 0
    order: int = 0  # of the autoregression

    @property
    def length(self) -> int:
        """Values of a window."""
        return len(self.covariance)

    def mean(self, phases: np.ndarray) -> np.ndarray:
        """Means (n, length) of windows that begin at these phases of the season, (n,)."""
        places = (np.asarray(phases)[:, None] + np.arange(self.length)) % len(self.means)
        steps = self.means[places]
        if not self.differences:
            return steps
        return np.cumsum(steps, axis=1) - steps[:, :1]

    def conditional(self, seen: np.ndarray) -> Conditional:
        """The law of what is hidden, for windows that are seen where ``seen`` (length,) is True."""
        s, h = np.flatnonzero(seen), np.flatnonzero(~seen)
        c, jitter = self.covariance, JITTER * self.scale**2
        crossed = c[np.ix_(s, h)]
        gain = np.linalg.solve(c[np.ix_(s, s)] + jitter * np.eye(len(s)), crossed).T
        rest = c[np.ix_(h, h)] - gain @ crossed
        factor = np.linalg.cholesky(0.5 * (rest + rest.T) + jitter * np.eye(len(h)))
        return Conditional(np.asarray(seen, bool), gain, factor)

    def hidden_means(self, given: Conditional, y: np.ndarray, phases: np.ndarray) -> np.ndarray:
        """E[hidden | seen] of windows (n, length), (n, hidden)."""
        mean = self.mean(phases)
        return mean[:, ~given.seen] + (y - mean)[:, given.seen] @ given.gain.T

    def innovations(self, given: Conditional, y: np.ndarray, phases: np.ndarray) -> np.ndarray:
        """Hidden values of complete windows as independent N(0, 1) under this law, (n, hidden).

        factor^-1 (y_h - E[y_h | y_s]): each value less its mean given those seen and those before it, over
        the standard deviation of that.
        """
        off = y[:, ~given.seen] - self.hidden_means(given, y, phases)
        return solve_triangular(given.factor, off.T, lower=True).T

    def placed(self, given: Conditional, y: np.ndarray, phases: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Windows with the hidden values whose innovations are ``x`` (..., n, hidden), (..., n, length)."""
        found = np.broadcast_to(y, (*x.shape[:-1], self.length)).copy()
        found[..., ~given.seen] = self.hidden_means(given, y, phases) + x @ given.factor.T
        return found

    def without_memory(self) -> NormalLaw:
        """The law of the same means and variances in which a window's values are independent.

        Of differences: about a line of unknown level and the same law of drifts.
        """
        if not self.differences:
            return self._replace(covariance=np.diag(np.diag(self.covariance)), order=0)
        line = np.stack([np.ones(self.length), np.arange(self.length)], axis=1)
        around = np.eye(self.length) - line @ np.linalg.pinv(line)
        variance = np.trace(around @ self.covariance @ around) / (self.length - 2)
        drift = np.outer(line[:, 1], line[:, 1]) * (4 * self.scale / self.length) ** 2
        level = LEVEL * self.scale**2
        return self._replace(covariance=variance * np.eye(self.length) + drift + level, order=0)


def fit_normal_law(
    values: np.ndarray,
    length: int,
    *,
    season: int = 1,
    differences: int = 0,
    largest_order: int = 26,
    phase: int = 0,
) -> NormalLaw:
    """The law of windows of ``length`` values of a series.

    Means by the season, then an autoregression (``chosen_order``).

    Args:
        values: (n,) in time; NaN where there is none.
        length: of a window.
        season: values of a period; 1 where there is none.
        differences: 0, or 1 for a series whose level wanders.
        largest_order: of the autoregression.
        phase: of the first value in its season.

    Raises:
        InputError: fewer values than a window and two seasons have.
    """
    steps = np.diff(values, n=differences)
    phases = (np.arange(len(steps)) + differences + phase) % season
    least = max(length, 2 * season) + differences
    there = np.isfinite(steps)
    missing = [p for p in range(season) if not there[phases == p].any()]
    if there.sum() < least or missing:
        expected = f"at least {least}, and some at each of {season} places of the season"
        raise InputError("values of the series", int(there.sum()), expected, "give a longer series")
    means = np.array([np.nanmean(steps[phases == p]) for p in range(season)])
    u = steps - means[phases]
    lags = min(largest_order, int(there.sum()) // 5, length - 1)
    r = autocovariance(u, lags)
    order = chosen_order(r, int(there.sum()))
    covariance = toeplitz(extended(r, order, length))
    if not differences:
        return NormalLaw(means, covariance, float(np.sqrt(r[0])), 0, order)
    return _integrated(means, covariance, _drift_variance(u, length), order)


def _integrated(means: np.ndarray, covariance: np.ndarray, drift: float, order: int) -> NormalLaw:
    """Of sums from the window's first value, which is at a level of which nothing is known."""
    length = len(covariance)
    sums = np.tril(np.ones((length - 1, length - 1)))
    summed = np.zeros((length, length))
    summed[1:, 1:] = sums @ covariance[:-1, :-1] @ sums.T
    summed += drift * np.outer(np.arange(length), np.arange(length))
    centred = np.eye(length) - 1 / length
    scale = float(np.sqrt(np.trace(centred @ summed @ centred) / length))
    return NormalLaw(means, summed + LEVEL * scale**2, scale, 1, order)


def _drift_variance(u: np.ndarray, length: int) -> float:
    """``DRIFT`` times the variance of the mean step among parts of the series as long as a window."""
    parts = [part for part in np.array_split(u, max(2, len(u) // length)) if np.isfinite(part).any()]
    return float(DRIFT * np.var([np.nanmean(part) for part in parts]))
