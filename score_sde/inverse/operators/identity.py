"""All of the image: denoising."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.inverse.base import SpectralOperator
from score_sde.inverse.operators.checks import require_example, require_shape
from score_sde.typing import Array, Batch


class Identity(SpectralOperator):
    """A x = x: what is left of an inverse problem is its noise."""

    def __post_init__(self) -> None:
        require_shape("Identity", self.shape)

    def __call__(self, x: Batch) -> Batch:
        """X itself."""
        require_example(self, x)
        return x

    def adjoint(self, y: Batch) -> Batch:
        """Y itself."""
        return y

    @property
    def singular_values(self) -> Array:
        """One, everywhere."""
        return jnp.ones(self.shape)

    def to_spectrum(self, x: Batch) -> Batch:
        """X itself."""
        return x

    def from_spectrum(self, z: Batch) -> Batch:
        """Z itself."""
        return z

    def measured_spectrum(self, y: Batch) -> Batch:
        """Y itself."""
        return y
