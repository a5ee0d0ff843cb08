"""Magnitudes of a Fourier transform, without its phases."""

from __future__ import annotations

import math

import jax.numpy as jnp

from score_sde.inverse.base import Operator
from score_sde.inverse.operators.checks import require_number, require_shape
from score_sde.pytree import static
from score_sde.typing import Batch


class PhaseRetrieval(Operator):
    """y = |F x| of every channel, x in a frame of zeros: (batch, ceil(oversampling H), ..., C).

    F is orthonormal. Shifts, mirrored images and signs give the same y: the posterior has several modes. The
    derivative at a magnitude of zero is taken as zero. (The code of Chung et al. 2023 frames an image of 256
    by 64 zeros on each side: oversampling = 1.5.)

    Attributes:
        oversampling: how many times longer the sides are than the image's; from 2 on the magnitudes tell the
            autocorrelation of the image.
    """

    oversampling: float = static(2.0)

    def __post_init__(self) -> None:
        require_shape("PhaseRetrieval", self.shape, least_axes=2)
        require_number("PhaseRetrieval.oversampling", self.oversampling, 1)

    def __call__(self, x: Batch) -> Batch:
        """The magnitudes."""
        sides = [math.ceil(self.oversampling * size) for size in self.shape[:-1]]
        spectrum = jnp.fft.fftn(x, s=sides, axes=range(1, len(self.shape)), norm="ortho")
        power = jnp.square(spectrum.real) + jnp.square(spectrum.imag)
        bright = power > 0
        return jnp.where(bright, jnp.sqrt(jnp.where(bright, power, 1)), 0)
