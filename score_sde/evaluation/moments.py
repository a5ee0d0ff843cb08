"""Mean and covariance of features, gathered batch by batch: what a Frechet distance needs of a data set."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from score_sde.errors import InputError
from score_sde.evaluation.checks import as_rows
from score_sde.evaluation.distances import frechet_gaussian
from score_sde.evaluation.files import replace_file


class Moments(NamedTuple):
    """Number of rows n, mean (d,) and scatter sum (x - mean)(x - mean)^T (d, d) of rows, in float64."""

    n: int
    mean: np.ndarray
    scatter: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """scatter / (n - 1): (d, d), unbiased."""
        if self.n < 2:
            raise InputError("examples for a covariance", self.n, "at least 2", "give more data")
        return self.scatter / (self.n - 1)

    def plus(self, other: Moments) -> Moments:
        """Moments of both sets of rows together (Chan et al. 1983, equation 2.1)."""
        n = self.n + other.n
        gap = other.mean - self.mean
        scatter = self.scatter + other.scatter + np.outer(gap, gap) * (self.n * other.n / n)
        return Moments(n, self.mean + gap * (other.n / n), scatter)


def moments_of(rows: np.ndarray) -> Moments:
    """Moments of rows (N, d); InputError for NaN or inf."""
    rows = as_rows("features", rows)
    mean = rows.mean(axis=0)
    return Moments(len(rows), mean, (rows - mean).T @ (rows - mean))


def frechet(first: Moments, second: Moments) -> float:
    """Frechet distance of the Gaussian fits (Heusel et al. 2017, equation 6): FID on Inception features."""
    if first.mean.shape != second.mean.shape:
        expected = f"{second.mean.shape}, as the other set"
        raise InputError("shape of the mean features", first.mean.shape, expected, "use the same features")
    return frechet_gaussian(first.mean, first.covariance, second.mean, second.covariance)


def save_moments(path: str | os.PathLike[str], found: Moments, *, features: str) -> Path:
    """Write ``mu``, ``sigma`` (covariance), ``count`` and the name of the features as ``.npz``.

    ``mu`` and ``sigma`` are the names under which published FID statistics come.
    """
    arrays = {"mu": found.mean, "sigma": found.covariance, "count": found.n, "features": features}
    return replace_file(path, lambda stream: np.savez(stream, **arrays))  # type: ignore[arg-type]


def load_moments(path: str | os.PathLike[str], *, features: str | None = None) -> Moments:
    """Read what ``save_moments`` wrote, or published statistics with ``mu`` and ``sigma``.

    Where the file says of how many examples or of which features it is, that is kept and checked;
    published files do not say, so their count is taken to be large.

    Raises:
        InputError: no such file, not one of statistics, or of features of another name.
    """
    expected = "a .npz file with mu and sigma"
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = dict(found.items())
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError("statistics", str(path), expected, "write one with --mode=inspect") from error
    if "mu" not in arrays or "sigma" not in arrays or arrays["sigma"].shape != 2 * arrays["mu"].shape:
        raise InputError(f"arrays in {path}", sorted(arrays), expected, "write one with --mode=inspect")
    named = str(arrays.get("features", features or ""))
    if features is not None and named != features:
        raise InputError(f"features of {path}", named, features, "inspect the data with these features")
    count = int(arrays.get("count", 2**31))
    return Moments(count, arrays["mu"].astype(np.float64), arrays["sigma"].astype(np.float64) * (count - 1))
