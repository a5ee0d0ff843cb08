"""Signals: what is learnt from windows of the noisy signals themselves, and judged without the clean ones."""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from score_sde.denoise import Tiled, estimated_risk, mmse
from score_sde.denoisers import EDMPrecondition, Gaussian, Preconditioned
from score_sde.denoisers.base import Denoiser
from score_sde.networks import MLP
from score_sde.networks.base import initialise
from score_sde.objectives import LogNormalSigma, UnbiasedRisk
from score_sde.sdes import EDM
from score_sde.training.in_memory import train_on

WINDOW = 64  # values that are looked at together
WIDTH = 96
BATCH = 256
MOST = 40_000  # windows that are learnt from
DIFFERENCE = 0.1  # of the noise: the step that slopes are taken over


def clean_signals(
    values: np.ndarray, stds: np.ndarray, *, seed: int, updates: int
) -> tuple[np.ndarray, np.ndarray]:
    """Clean signals (L, C) with noise of ``stds`` (C,), and the mean squared error that is estimated of each.

    All are brought to noise of one strength. Each signal is then estimated as if its windows were of a normal
    law, that of the noisy windows less the noise, and by a network that learns from the windows of all by
    Stein's estimate of its risk; the one whose estimated risk is less is kept.
    """
    middle, std = values.mean(axis=0), float(np.median(stds / np.maximum(values.std(axis=0), 1e-12)))
    std = min(max(std, 1e-3), 1.0)
    scale = std / stds
    signals = ((values - middle) * scale).T[..., None]  # (C, L, 1)
    windows = sliding_window_view(signals[..., 0], WINDOW, axis=1)  # (C, places, WINDOW)
    key = jax.random.key(seed)
    network = _trained(windows.reshape(-1, WINDOW, 1), std, key, seed, updates)
    best = []
    for signal in signals:
        tries = [_by_network(key, network, signal, std), _by_law(np.random.default_rng(seed), signal, std)]
        best.append(min(tries, key=lambda found: found[1]))
    found = np.stack([clean for clean, _ in best], axis=1)
    return found / scale + middle, np.array([risk for _, risk in best]) / scale**2


def _by_network(key: jax.Array, model: Denoiser, signal: np.ndarray, std: float) -> tuple[np.ndarray, float]:
    """The estimate (L,) of one signal, and its estimated risk."""
    y = jnp.asarray(signal[None], jnp.float32)
    found, risk = estimated_risk(key, lambda y: mmse(_tiled(model), y, std), y, std)
    return np.asarray(found[0, :, 0], np.float64), float(risk[0])


def _by_law(rng: np.random.Generator, signal: np.ndarray, std: float) -> tuple[np.ndarray, float]:
    """As if windows were normal. The law follows from the signal: the risk's slope goes through its fit.

    By a difference along a random direction (Ramani et al. 2008), since all of it is a function of y.
    """

    def estimate(y: np.ndarray) -> np.ndarray:
        tiled = _tiled(_normal(sliding_window_view(y, WINDOW), std))
        found = mmse(tiled, jnp.asarray(y[None, :, None], jnp.float32), std)
        return np.asarray(found[0, :, 0], np.float64)

    y, small = signal[:, 0], DIFFERENCE * std
    probe = rng.choice([-1.0, 1.0], len(y))
    found = estimate(y)
    slope = np.mean(probe * (estimate(y + small * probe) - estimate(y - small * probe))) / (2 * small)
    return found, float(np.mean((found - y) ** 2) + std**2 * (2 * slope - 1))


def _tiled(model: Denoiser) -> Tiled:
    return Tiled.of(model, (WINDOW, 1), WINDOW // 8)


def _normal(windows: np.ndarray, std: float) -> Gaussian:
    """The normal law of clean windows: the noisy ones', less the noise where there is more."""
    windows = windows[:: -(-len(windows) // MOST)]
    mean = windows.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov(windows, rowvar=False))
    covariance = (axes * np.maximum(variances - std**2, 0)) @ axes.T
    return Gaussian(
        sde=EDM(),
        mean=jnp.asarray(mean[:, None], jnp.float32),
        covariance=jnp.asarray(0.5 * (covariance + covariance.T), jnp.float32),
    )


def _trained(windows: np.ndarray, std: float, key: jax.Array, seed: int, updates: int) -> Preconditioned:
    if len(windows) > MOST:
        windows = windows[np.random.default_rng(seed).choice(len(windows), MOST, replace=False)]
    network = initialise(functools.partial(MLP.for_shape, width=WIDTH, depth=2), seed=seed, shape=(WINDOW, 1))
    spread = float(np.sqrt(max(windows.var() - std**2, 1e-2 * std**2)))
    model = Preconditioned(sde=EDM(), network=network, precondition=EDMPrecondition(sigma_data=spread))
    objective = UnbiasedRisk(std=std, times=LogNormalSigma(mean=math.log(std), std=1e-2))
    batch = min(BATCH, len(windows))
    return train_on(
        model, objective, windows, key, steps=updates, batch_size=batch, learning_rate=2e-3, seed=seed
    )
