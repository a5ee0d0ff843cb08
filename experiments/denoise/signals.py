"""Signals: what is learnt from windows of the noisy signals themselves, and judged without the clean ones."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from experiments.denoise.blocks import by_blocks
from score_sde.denoise import learnt_mixture, mmse
from score_sde.denoisers import GaussianMixture, Tiled

MOST = 20_000  # windows that are learnt from
BLOCK = 32_768  # values that are estimated at once
DIFFERENCE = 0.1  # of the noise: the step that slopes are taken over
PROBES = 2  # random directions
AGAIN = 3  # rounds that a law is learnt for again where the signal has changed a little


class Kind(NamedTuple):
    """How windows are looked at."""

    window: int  # values
    components: int  # normal laws


KINDS = (Kind(32, 1), Kind(32, 4), Kind(16, 8))


def clean_signals(values: np.ndarray, stds: np.ndarray, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Clean signals (L, C) with noise of ``stds`` (C,), and the mean squared error that is estimated of each.

    Each signal is estimated as if its windows were of one normal law, and of mixtures of several; the one
    whose estimated risk is the least is kept.
    """
    best = []
    for signal, std in zip(values.T, stds, strict=True):
        middle = signal.mean()
        tries = [_clean(np.random.default_rng(seed), (signal - middle) / std, kind, seed) for kind in KINDS]
        found, risk = min(tries, key=lambda each: each[1])
        best.append((middle + std * found, std**2 * risk))
    return np.stack([found for found, _ in best], axis=1), np.array([risk for _, risk in best])


def _clean(rng: np.random.Generator, y: np.ndarray, kind: Kind, seed: int) -> tuple[np.ndarray, float]:
    """The estimate of a signal (L,) with noise of 1, and its estimated risk.

    The slope of Stein's estimate is a difference along random directions (Ramani et al. 2008): the law is a
    function of y as well, so it is learnt again for each.
    """
    chosen = _places(rng, len(y) - kind.window + 1)
    law = learnt_mixture(_windows(y, kind)[chosen], 1.0, components=kind.components, seed=seed)
    found, slopes = _estimate(law, y, kind), []
    for probe in DIFFERENCE * rng.choice([-1.0, 1.0], (PROBES, len(y))):
        moved = [_estimate(_again(law, y + step, kind, chosen), y + step, kind) for step in (probe, -probe)]
        slopes.append(np.mean(probe * (moved[0] - moved[1])) / (2 * DIFFERENCE**2))
    return found, float(np.mean((found - y) ** 2) + 2 * np.mean(slopes) - 1)


def _windows(y: np.ndarray, kind: Kind) -> np.ndarray:
    return sliding_window_view(y, kind.window)[..., None]  # a view: whole, it is many times the signal


def _places(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.choice(count, MOST, replace=False) if count > MOST else np.arange(count)


def _again(law: GaussianMixture, y: np.ndarray, kind: Kind, chosen: np.ndarray) -> GaussianMixture:
    windows = _windows(y, kind)[chosen]
    return learnt_mixture(windows, 1.0, components=kind.components, start=law, rounds=AGAIN)


def _estimate(law: GaussianMixture, y: np.ndarray, kind: Kind) -> np.ndarray:
    """By all windows that begin at every second value, at least."""
    tiled = Tiled.of(law, (kind.window, 1), math.ceil(kind.window / 16))

    def part(y: np.ndarray) -> tuple[np.ndarray, float]:
        return np.asarray(mmse(tiled, jnp.asarray(y[None], jnp.float32), 1.0)[0], np.float64), 0.0

    return by_blocks(part, y[:, None], BLOCK, kind.window)[0][:, 0]
