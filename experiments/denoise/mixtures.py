"""The gap to the least squared error that is possible, where it is known: mixtures of normal laws."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.denoise import FromNoisy, learnt_mixture, mmse
from score_sde.denoisers import EDMPrecondition, Gaussian, GaussianMixture, Preconditioned
from score_sde.denoisers.base import Denoiser
from score_sde.networks import MLP
from score_sde.networks.base import initialise
from score_sde.objectives import DenoisingScoreMatching, EDMWeighting, LogNormalSigma, Objective, UnbiasedRisk
from score_sde.sdes import EDM
from score_sde.training.in_memory import train_on

DIMENSIONS, COMPONENTS = 8, 5
LEVELS = (0.3, 0.6)  # standard deviations of the noise
TESTED = 20_000  # draws that errors are means over
TRAINED = 50_000  # draws that models are trained on
FITTED = 20_000  # draws that a mixture is fitted to
BATCH = 256
LEAST = 0.4  # of added noise over the data's own, where a score is learnt from noisy data


def law() -> GaussianMixture:
    """Five normal laws in eight dimensions, overlapping, of unequal weight and shape."""
    rng = np.random.default_rng(0)
    factors = 0.25 * rng.normal(size=(COMPONENTS, DIMENSIONS, 3))
    covariances = factors @ factors.swapaxes(1, 2) + 0.03 * np.eye(DIMENSIONS)
    means = rng.normal(size=(COMPONENTS, DIMENSIONS))
    return GaussianMixture(
        sde=EDM(), weights=np.arange(1.0, COMPONENTS + 1), means=means, covariances=covariances
    )


def posterior_mean(mixture: GaussianMixture, y: np.ndarray, std: float) -> np.ndarray:
    """E[x_0 | y] written out in numpy and float64, from nothing but the law: what nothing can beat."""
    logs, means = [], []
    for weight, mean, covariance in zip(
        *(np.asarray(part, np.float64) for part in (mixture.weights, mixture.means, mixture.covariances)),
        strict=True,
    ):
        total = covariance + std**2 * np.eye(len(mean))
        solved = np.linalg.solve(total, (y - mean).T).T
        half = 0.5 * (np.linalg.slogdet(total)[1] + np.sum((y - mean) * solved, axis=1))
        logs.append(np.log(weight) - half)
        means.append(mean + solved @ covariance)
    shares = np.exp(np.array(logs) - np.max(logs, axis=0))
    return np.einsum("kn,knd->nd", shares / shares.sum(axis=0), np.array(means))


def judged(way: str, std: float, seed: int, steps: int) -> dict[str, Any]:
    """Mean squared error of one way on draws of one seed, and how many dB it is above the least."""
    mixture = law()
    key, noise = jax.random.key(seed), np.random.default_rng(seed)
    clean = np.asarray(mixture.sample(key, TESTED), np.float64)
    y = clean + std * noise.normal(size=clean.shape)
    least = float(np.mean((posterior_mean(mixture, y, std) - clean) ** 2))
    model = WAYS[way](mixture, std, jax.random.fold_in(key, 1), steps)
    error = float(np.mean((np.asarray(mmse(model, jnp.asarray(y, jnp.float32), std)) - clean) ** 2))
    return {"seed": seed, "least": least, "error": error, "gap": 10 * math.log10(error / least)}


def _exact(mixture: GaussianMixture, std: float, key: Any, steps: int) -> Denoiser:
    del std, key, steps
    return mixture


def _normal(mixture: GaussianMixture, std: float, key: Any, steps: int) -> Denoiser:
    """The normal law with the mixture's mean and covariance: the best linear estimate."""
    del std, key, steps
    mean = jnp.tensordot(mixture.weights, mixture.means, axes=1)
    offsets = mixture.means - mean
    covariances = mixture.covariances + offsets[:, :, None] * offsets[:, None, :]
    covariance = jnp.tensordot(mixture.weights, covariances, axes=1)
    return Gaussian(sde=mixture.sde, mean=mean, covariance=covariance)


def _trained(mixture: GaussianMixture, std: float, key: Any, steps: int) -> Denoiser:
    """On clean data, at noise about ``std``."""
    return _fit(mixture.sample(key, TRAINED), _matching(std, 0.5), key, steps)


def _unbiased(mixture: GaussianMixture, std: float, key: Any, steps: int) -> Denoiser:
    """On noisy data alone, by Stein's estimate of the risk."""
    times = LogNormalSigma(mean=math.log(std), std=0.1)  # half of them are moved to std itself
    return _fit(_noisy(mixture, std, key), UnbiasedRisk(std=std, times=times), key, steps)


def _noise2score(mixture: GaussianMixture, std: float, key: Any, steps: int) -> Denoiser:
    """On noisy data alone, as if they were clean: their score at little noise more, and Tweedie's formula."""
    fitted = _fit(_noisy(mixture, std, key), _matching(LEAST * std, 0.5), key, steps)
    return FromNoisy.of(fitted, std, LEAST * std)


def _learnt(mixture: GaussianMixture, std: float, key: Any, steps: int) -> Denoiser:
    """On noisy data alone, told only how many components there are."""
    del steps
    return learnt_mixture(np.asarray(_noisy(mixture, std, key))[:FITTED], std, components=COMPONENTS)


def _matching(std: float, spread: float) -> Objective:
    times = LogNormalSigma(mean=math.log(std), std=spread)
    return DenoisingScoreMatching(times=times, weight=EDMWeighting(sigma_data=1.0))


def _noisy(mixture: GaussianMixture, std: float, key: Any) -> jax.Array:
    draw, noise = jax.random.split(key)
    clean = mixture.sample(draw, TRAINED)
    return clean + std * jax.random.normal(noise, clean.shape)


def _fit(x: jax.Array, objective: Objective, key: Any, steps: int) -> Denoiser:
    network = initialise(functools.partial(MLP.for_shape, width=128), seed=0, shape=(DIMENSIONS,))
    model = Preconditioned(sde=EDM(), network=network, precondition=EDMPrecondition(sigma_data=1.0))
    return train_on(model, objective, np.asarray(x), key, steps=steps, batch_size=BATCH, learning_rate=2e-3)


WAYS: dict[str, Callable[[GaussianMixture, float, Any, int], Denoiser]] = {
    "normal law": _normal,
    "exact denoiser": _exact,
    "trained": _trained,
    "blind: unbiased risk": _unbiased,
    "blind: Noise2Score": _noise2score,
    "blind: mixture learnt": _learnt,
}
