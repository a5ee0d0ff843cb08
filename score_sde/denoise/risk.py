"""How good a denoiser is on noisy data, without the clean ones."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp

from score_sde.arrays import mean_per_example
from score_sde.divergence import Divergence, Hutchinson
from score_sde.typing import Batch, Key, PerExample

PROBES = Hutchinson()


def estimated_risk(
    key: Key,
    denoise: Callable[[Batch], Batch],
    y: Batch,
    std: float,
    *,
    divergence: Divergence = PROBES,
) -> tuple[Batch, PerExample]:
    """The estimate f(y) and |f(y) - y|^2 / d + 2 std^2 div f / d - std^2, for y = x_0 + std z.

    Right on average about the mean squared error of f(y) against x_0, whatever x_0 is (Stein 1981;
    Ramani et al. 2008); it may be negative. Wrong where the noise is not normal, white and of this ``std``.

    Args:
        key: of the divergence's probes.
        denoise: f, which acts on each example alone.
        y: noisy (batch, *event).
        std: of the noise, in the units of y.
        divergence: exact or estimated.
    """
    denoised, slopes = divergence(key, denoise, y)
    slope = jnp.mean(slopes, axis=1) / y[0].size
    return denoised, mean_per_example(jnp.square(denoised - y)) + std**2 * (2 * slope - 1)
