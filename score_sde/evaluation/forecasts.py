"""How good probabilistic forecasts are: ensembles against what came."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from score_sde.errors import InputError


def crps(ensemble: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of ensembles (members, *shape), in the units of ``truth`` (*shape).

    E|X - y| - E|X - X'| / 2 with X, X' two different members: fair, that is its mean does not depend on how
    many members there are (Ferro 2014; Gneiting and Raftery 2007, section 4.2). 0 is perfect; with one
    member it would be the absolute error, and is refused since it would have no spread.
    """
    members = _require(ensemble, truth)
    ordered = np.sort(ensemble, axis=0)
    ranks = np.arange(1, members + 1).reshape(-1, *[1] * np.ndim(truth))
    # sum over pairs of |X_i - X_j| = 2 sum_k (2 k - members - 1) X_(k), without members^2 differences
    apart = 2 * np.sum((2 * ranks - members - 1) * ordered, axis=0) / (members * (members - 1))
    return np.mean(np.abs(ensemble - truth), axis=0) - 0.5 * apart


class SpreadSkill(NamedTuple):
    """An ensemble's spread beside the error of its mean: equal, where members and truth are of one law."""

    spread: float  # root mean variance of the members, made unbiased for their number
    skill: float  # root mean square error of the mean

    @property
    def ratio(self) -> float:
        """Spread over skill: below 1 the ensemble is too sure. NaN where the mean has no error."""
        return self.spread / self.skill if self.skill else math.nan


def spread_skill(ensemble: np.ndarray, truth: np.ndarray) -> SpreadSkill:
    """Of ensembles (members, *shape) over all values of ``shape`` (Fortin et al. 2014).

    The variance among members is taken (members + 1) / members times, since the mean of finitely many
    has an error of its own.
    """
    members = _require(ensemble, truth)
    variance = np.var(ensemble, axis=0, ddof=1) * (members + 1) / members
    off = np.asarray(ensemble[0]) - truth  # so that equal members have a mean without rounding
    error = np.square(off + np.mean(ensemble - ensemble[0], axis=0))
    return SpreadSkill(float(np.sqrt(np.mean(variance))), float(np.sqrt(np.mean(error))))


def rank_histogram(ensemble: np.ndarray, truth: np.ndarray, seed: int = 0) -> np.ndarray:
    """How often the truth has each rank among the members, (members + 1,); ties by chance.

    Flat where members and truth are of one law, U-shaped where the ensemble is too sure, a hill where it
    is too wide, sloping where it is biased (Hamill 2001).

    Raises:
        InputError: NaN, which has no rank.
    """
    members = _require(ensemble, truth)
    missing = int(np.isnan(ensemble).sum() + np.isnan(truth).sum())
    if missing:
        raise InputError(
            "ensemble and truth", f"{missing} NaN", "numbers, which have ranks", "leave them out"
        )
    below = np.sum(ensemble < truth, axis=0)
    ties = np.sum(ensemble == truth, axis=0)
    ranks = below + np.random.default_rng(seed).integers(0, ties + 1)
    return np.bincount(np.ravel(ranks), minlength=members + 1)


def energy_score(ensemble: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """CRPS of vectors, of ensembles (members, n, dimensions): (n,).

    E|X - y| - E|X - X'| / 2 with Euclidean lengths and two different members (Gneiting and Raftery 2007,
    section 4.3).
    """
    members = _require(ensemble, truth)
    off = np.mean(np.linalg.norm(ensemble - truth, axis=-1), axis=0)
    apart = sum(np.sum(np.linalg.norm(ensemble - one, axis=-1), axis=0) for one in ensemble)
    return off - 0.5 * apart / (members * (members - 1))


def _require(ensemble: np.ndarray, truth: np.ndarray) -> int:
    """The number of members."""
    if np.shape(ensemble)[1:] != np.shape(truth):
        expected = f"(members, *{np.shape(truth)})"
        raise InputError("ensemble.shape", np.shape(ensemble), expected, "members come first")
    if len(ensemble) < 2:
        raise InputError("ensemble", len(ensemble), "at least 2 members", "one forecast has no spread")
    return len(ensemble)
