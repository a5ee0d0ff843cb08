"""Signals whose truth is known: those of Donoho and Johnstone, and beats, each by filters and by itself."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from skimage.restoration import denoise_tv_chambolle, denoise_wavelet

from experiments.denoise.signals import clean_signals
from score_sde.denoise import haar_std

LENGTH, RATIO = 2048, 7.0  # values, and standard deviation of the signal over the noise's, as in that paper
PLACES = (0.1, 0.13, 0.15, 0.23, 0.25, 0.40, 0.44, 0.65, 0.76, 0.78, 0.81)
STEPS = (4, -5, 3, -4, 5, -4.2, 2.1, 4.3, -3.1, 2.1, -4.2)
HEIGHTS = (4, 5, 3, 4, 5, 4.2, 2.1, 4.3, 3.1, 5.1, 4.2)
WIDTHS = (0.005, 0.005, 0.006, 0.01, 0.01, 0.03, 0.01, 0.01, 0.005, 0.008, 0.005)
SHIFTS = 16  # that wavelets are averaged over
PULSES = (
    (-0.2, 0.12, 0.025),
    (-0.02, -0.15, 0.008),
    (0.0, 1.0, 0.01),
    (0.025, -0.25, 0.01),
    (0.25, 0.3, 0.05),
)
NOISY, LEARNT = "noisy", "learnt from the signal"


def blocks(x: np.ndarray) -> np.ndarray:
    """Donoho and Johnstone 1994, table 1, as the next three."""
    return sum(step * (1 + np.sign(x - place)) / 2 for place, step in zip(PLACES, STEPS, strict=True))


def bumps(x: np.ndarray) -> np.ndarray:
    """Peaks of eleven widths."""
    each = zip(PLACES, HEIGHTS, WIDTHS, strict=True)
    return sum(height / (1 + np.abs((x - place) / width)) ** 4 for place, height, width in each)


def heavisine(x: np.ndarray) -> np.ndarray:
    """A wave that jumps twice."""
    return 4 * np.sin(4 * np.pi * x) - np.sign(x - 0.3) - np.sign(0.72 - x)


def doppler(x: np.ndarray) -> np.ndarray:
    """A wave that slows down."""
    return np.sqrt(x * (1 - x)) * np.sin(2 * np.pi * 1.05 / (x + 0.05))


def beats(x: np.ndarray) -> np.ndarray:
    """Twenty or so heart beats, each five normal curves, at intervals that vary by a tenth."""
    intervals = 1 + 0.1 * np.random.default_rng(0).normal(size=24)
    since = 20 * x[:, None] - np.cumsum(intervals) + 0.5
    return sum(
        height * np.exp(-0.5 * ((since - place) / width) ** 2).sum(axis=1) for place, height, width in PULSES
    )


WAVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    each.__name__: each for each in (blocks, bumps, heavisine, doppler, beats)
}


def truth(wave: str) -> np.ndarray:
    """``LENGTH`` values of standard deviation ``RATIO`` about 0, for noise of 1."""
    values = WAVES[wave]((np.arange(LENGTH) + 0.5) / LENGTH)
    return RATIO * (values - values.mean()) / values.std()


def _wavelet(y: np.ndarray, strength: float) -> np.ndarray:
    """BayesShrink, averaged over shifts (Coifman and Donoho 1995)."""
    shrink = functools.partial(denoise_wavelet, sigma=strength, rescale_sigma=False, wavelet="sym8")
    return np.mean([np.roll(shrink(np.roll(y, shift)), -shift) for shift in range(SHIFTS)], axis=0)


def _total_variation(y: np.ndarray, strength: float) -> np.ndarray:
    return denoise_tv_chambolle(y, weight=strength)


FILTERS: dict[str, tuple[Callable[[np.ndarray, float], np.ndarray], tuple[float, ...]]] = {
    "total variation": (_total_variation, (0.5, 1.0, 2.0, 4.0)),
    "wavelet": (_wavelet, (0.6, 0.8, 1.0, 1.3)),
}
WAYS = (NOISY, *FILTERS, LEARNT)


class Judged(NamedTuple):
    """A row of the results, and what it is of."""

    row: dict[str, Any]
    clean: np.ndarray
    noisy: np.ndarray
    found: np.ndarray


def judged(way: str, wave: str, seed: int) -> Judged:
    """Decibels that the squared error falls by; filters are told the noise and take their best strength.

    That strength is the best for this signal with other noise. What is learnt estimates the noise as well.
    """
    clean = truth(wave)
    y, other = (clean + np.random.default_rng([seed, part]).normal(size=LENGTH) for part in (0, 1))
    told: dict[str, Any] = {}
    if way == LEARNT:
        std = haar_std(y, signal=True)
        cleaned, risk = clean_signals(y[:, None], np.array([std]), seed=seed)
        found, told = cleaned[:, 0], {"estimated_gain": float(-10 * np.log10(max(risk[0] / std**2, 1e-3)))}
    elif way == NOISY:
        found = y
    else:
        apply, strengths = FILTERS[way]
        best = min(strengths, key=lambda strength: np.mean((apply(other, strength) - clean) ** 2))
        found, told = apply(y, best), {"strength": best}
    gain = float(-10 * np.log10(np.mean((found - clean) ** 2)))
    return Judged({"seed": seed, "gain": gain, **told}, clean, y, found)
