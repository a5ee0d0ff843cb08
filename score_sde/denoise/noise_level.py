"""How noisy data are, from the data: images (H, W, C) or (H, W), signals (L, C) or (L,)."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import uniform_filter  # type: ignore[attr-defined]
from scipy.optimize import nnls

from score_sde.errors import InputError

MEDIAN = NormalDist().inv_cdf(0.75)  # of |z|, z ~ N(0, 1)
LEAST = 32  # values that an estimate is made of
BINS = 24  # of brightness, for the noise line
BINNED = 64  # coefficients of a bin
PATCHES = 50_000  # that are looked at, about: evenly spaced where there are more
Limits = tuple[float, float] | None


class NoiseLine(NamedTuple):
    """Variance of the noise about a value x: gain (x - low) + std^2."""

    gain: float  # Poisson's part; 0 without it
    std: float  # of the part that does not depend on brightness
    low: float

    def variance(self, x: np.ndarray) -> np.ndarray:
        """At clean values x."""
        return self.gain * np.maximum(x - self.low, 0) + self.std**2


def haar_std(x: np.ndarray, *, signal: bool = False, limits: Limits = None) -> float:
    """Standard deviation of white normal noise: median |d| / 0.6745 of the finest detail coefficients d.

    Of images the diagonal Haar coefficient (a - b - c + d) / 2 of every 2 x 2 pixels (Donoho and Johnstone
    1994), of signals the second difference (a - 2 b + c) / sqrt(6): zero on what is linear. The
    median forgets the few coefficients that edges make; texture everywhere is taken for noise.

    Args:
        x: an image, or a signal where ``signal`` says so; channels last.
        signal: the first axis is time and there is no other but channels.
        limits: values at or beyond these are saturated, and coefficients with one of them are left out.

    Raises:
        InputError: shapes that are neither, values that are not finite, too few of them.
    """
    details, _ = _details(_checked(x, signal), signal, limits, "haar_std")
    return float(np.median(np.abs(details)) / MEDIAN)


def pca_std(x: np.ndarray, *, patch: int = 5, signal: bool = False) -> float:
    """Standard deviation of white noise: what is left of the patches' variances without the scene's.

    Eigenvalues of the covariance of all patches; the largest are dropped until the mean of the rest is not
    above their median, as it would be if a scene were among them; its root (Chen et al. 2015).
    Needs patches with directions that the scene leaves empty, and many of them: of pure noise in 32 x 32
    colour pixels the value is 3 % too small with patches of 3 x 3 and 9 % with 5 x 5, in 128 x 128 under 1 %.

    Args:
        x: an image, or a signal where ``signal`` says so; channels last.
        patch: side of the patches; of signals its square is taken.
        signal: as for ``haar_std``.
    """
    values = _checked(x, signal)
    sides = (patch**2,) if signal else (patch, patch)
    if any(side > length for side, length in zip(sides, values.shape, strict=False)):
        raise InputError("pca_std.patch", patch, f"patches within {values.shape[:-1]}", "lower it")
    windows = sliding_window_view(values, sides, axis=tuple(range(len(sides))))
    places = windows.shape[: len(sides)]
    step = math.ceil((math.prod(places) / PATCHES) ** (1 / len(sides)))
    chosen = windows[tuple(slice(None, None, step) for _ in sides)]
    rows = chosen.reshape(math.prod(chosen.shape[: len(sides)]), -1)  # all channels of a patch together
    if len(rows) <= rows.shape[1]:
        raise InputError(
            "pca_std for x.shape", np.shape(x), f"more than {rows.shape[1]} patches", "lower patch"
        )
    variances = np.linalg.eigvalsh(np.cov(rows, rowvar=False))  # ascending
    for kept in range(len(variances), 0, -1):
        rest = variances[:kept]
        if rest.mean() <= np.median(rest):
            break
    return float(np.sqrt(max(rest.mean(), 0.0)))


def noise_line(x: np.ndarray, *, low: float, signal: bool = False, limits: Limits = None) -> NoiseLine:
    """Noise whose variance grows with brightness, as of photons: variance = gain (x - low) + std^2.

    Detail coefficients of ``haar_std`` are sorted by the mean brightness around them into bins; a line is
    fitted to their robust variances, weighted by how well each is known, with neither part below 0 (after Foi
    et al. 2008). A scene of one brightness cannot tell the two parts apart.

    Args:
        x: an image, or a signal where ``signal`` says so; channels last.
        low: what is black: no photons, and so no noise of theirs.
        signal: as for ``haar_std``.
        limits: as for ``haar_std``.
    """
    details, means = _details(_checked(x, signal), signal, limits, "noise_line")
    order = np.argsort(means)
    bins = np.array_split(order, int(np.clip(len(order) // BINNED, 1, BINS)))
    counts = np.array([len(part) for part in bins])
    centres = np.array([means[part].mean() for part in bins]) - low
    found = np.array([np.median(np.abs(details[part])) / MEDIAN for part in bins]) ** 2
    design, fit = np.stack([np.maximum(centres, 0), np.ones_like(centres)], axis=1), found
    for _ in range(5):  # the error of a variance is in proportion to it
        weights = np.sqrt(counts) / np.maximum(fit, 1e-3 * found.max() + np.finfo(float).tiny)
        gain, variance = nnls(design * weights[:, None], found * weights)[0]
        fit = design @ (gain, variance)
    return NoiseLine(float(gain), float(np.sqrt(variance)), low)


def _checked(x: np.ndarray, signal: bool) -> np.ndarray:
    values = np.asarray(x, np.float64)
    axes = 1 if signal else 2
    if values.ndim == axes:
        values = values[..., None]
    if values.ndim != axes + 1:
        expected = "a signal (L,) or (L, C)" if signal else "an image (H, W) or (H, W, C)"
        raise InputError("shape of what is noisy", np.shape(x), expected, "give one at a time")
    if not np.isfinite(values).all():
        raise InputError("values of what is noisy", float(values[~np.isfinite(values)][0]), "finite numbers")
    return values


def _details(values: np.ndarray, signal: bool, limits: Limits, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Detail coefficients of unit gain for white noise, and the mean brightness about each."""
    if signal:
        parts = [values[:-2], values[1:-1], values[2:]]
        detail = (parts[0] - 2 * parts[1] + parts[2]) / np.sqrt(6)
        means = uniform_filter(values, (15, 1), mode="nearest")[1:-1]
    else:
        parts = [values[:-1, :-1], values[:-1, 1:], values[1:, :-1], values[1:, 1:]]
        detail = (parts[0] - parts[1] - parts[2] + parts[3]) / 2
        means = uniform_filter(values, (6, 6, 1), mode="nearest")[:-1, :-1]
    low, high = limits or (-np.inf, np.inf)
    inside = np.all([(part > low) & (part < high) for part in parts], axis=0)
    if inside.sum() < LEAST:
        expected = f"at least {LEAST} places that are not saturated"
        raise InputError(
            f"{where} for x.shape", values.shape, expected, "give more of it, or the noise's std"
        )
    return detail[inside], means[inside]
