"""Reconstruction errors: noise is added to an example and taken off again."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.anomaly.base import AnomalyScore, shared_noise, time_of
from score_sde.arrays import mean_per_example
from score_sde.denoisers.base import Denoiser
from score_sde.errors import InputError
from score_sde.pytree import static
from score_sde.samplers import DDIM, LogSNR, Sampler, Sampling
from score_sde.sdes.checks import require_positive
from score_sde.typing import Array, Batch, Key, PerExample

SAMPLER = Sampler(predictor=DDIM(), grid=LogSNR(sigma_min=0.02), n_steps=10)


class OneStepReconstruction(AnomalyScore):
    """The mean squared error of E[x_0 | x_t] at x_t = alpha (x + sigma z), over noise levels and draws.

    A denoising autoencoder at each noise level of the diffusion, one evaluation a draw (Sattarov et al. 2025,
    "Diffusion-scheduled denoising autoencoders", with the network of a diffusion model). For
    N(m, C) and one level its mean is (|(C + s)^-1 s (x - m)|^2 + s |C (C + s)^-1|^2) / d with s = sigma^2 I.

    Attributes:
        sigmas: noise levels in the data's units.
        draws: of noise at each level, the same for every example.
    """

    sigmas: tuple[float, ...] = static((0.25, 0.5, 1.0))
    draws: int = static(8)

    def __post_init__(self) -> None:
        _check_levels("OneStepReconstruction", self.sigmas, self.draws)

    def __call__(self, model: Denoiser, x: Batch, key: Key) -> PerExample:
        """Mean squared error, in squared units of the data."""

        def error(pair: tuple[Array, Array]) -> PerExample:
            sigma, z = pair
            t = time_of(model.sde, sigma)
            return mean_per_example(jnp.square(model(model.sde.alpha(t) * (x + sigma * z), t) - x))

        sigmas = jnp.repeat(jnp.asarray(self.sigmas, x.dtype), self.draws)
        return jnp.mean(jax.lax.map(error, (sigmas, shared_noise(key, x, len(sigmas)))), axis=0)


class DiffusionReconstruction(AnomalyScore):
    """The mean squared error of an example that is noised to a time and sampled back from there.

    Wyatt et al. 2022 (AnoDDPM) from one time, Graham et al. 2023 over several; Livernoche et al. 2024 call
    it DDPM. The reverse process mends what is unlikely, and so changes anomalies more.

    Attributes:
        sigmas: noise levels to begin at, in the data's units.
        draws: of noise at each level, the same for every example.
        sampler: takes x_t to x_0.
    """

    sigmas: tuple[float, ...] = static((0.5, 1.0))
    draws: int = static(2)
    sampler: Sampling = SAMPLER

    def __post_init__(self) -> None:
        _check_levels("DiffusionReconstruction", self.sigmas, self.draws)

    def __call__(self, model: Any, x: Batch, key: Key) -> PerExample:
        """Mean squared error, in squared units of the data."""
        noise_key, sample_key = jax.random.split(key)

        def error(pair: tuple[Array, Array]) -> PerExample:
            sigma, z = pair
            t = time_of(model.sde, sigma)
            noisy = model.sde.alpha(t) * (x + sigma * z)
            back = self.sampler(sample_key, model, x.shape, x=noisy, t=t)
            return mean_per_example(jnp.square(back - x))

        sigmas = jnp.repeat(jnp.asarray(self.sigmas, x.dtype), self.draws)
        return jnp.mean(jax.lax.map(error, (sigmas, shared_noise(noise_key, x, len(sigmas)))), axis=0)


def _check_levels(where: str, sigmas: tuple[float, ...], draws: int) -> None:
    for sigma in np.atleast_1d(sigmas):
        require_positive(f"{where}.sigmas", float(sigma))
    if not sigmas or draws < 1:
        raise InputError(f"{where}.draws", draws, "one noise level and one draw or more", "raise it")
