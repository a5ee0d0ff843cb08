"""Convolutions over edges that are joined, by FFT."""

from __future__ import annotations

from abc import abstractmethod

import jax.numpy as jnp
import numpy as np

from score_sde.inverse.base import SpectralOperator
from score_sde.inverse.operators.checks import require_shape
from score_sde.inverse.operators.hartley import hartley
from score_sde.pytree import derived
from score_sde.typing import Array, Batch


class Circular(SpectralOperator):
    """A = F^H diag(h) F for every channel, F the Fourier transform over all axes but that of the channels.

    V is the Hartley transform, real and orthogonal, and S = |h|. A subclass writes ``response``: what becomes
    of one bright pixel at the origin.
    """

    transfer: Array = derived()  # h, of the sides

    def __post_init__(self) -> None:
        require_shape(type(self).__name__, self.shape, least_axes=2)
        transfer = np.fft.fftn(self.response())
        object.__setattr__(self, "transfer", jnp.asarray(transfer, jnp.result_type(complex)))

    @abstractmethod
    def response(self) -> np.ndarray:
        """The image of a single 1 at the first pixel, of the sides of ``shape``, in float64."""

    def __call__(self, x: Batch) -> Batch:
        """The circular convolution of every channel with the response."""
        return self._filtered(x, self.transfer)

    def adjoint(self, y: Batch) -> Batch:
        """The circular correlation."""
        return self._filtered(y, jnp.conj(self.transfer))

    @property
    def singular_values(self) -> Array:
        """|h|, alike for all channels."""
        return jnp.broadcast_to(jnp.abs(self.transfer)[..., None], self.shape)

    def to_spectrum(self, x: Batch) -> Batch:
        """The Hartley transform."""
        return hartley(x, self._axes)

    def from_spectrum(self, z: Batch) -> Batch:
        """The Hartley transform, which is its own inverse."""
        return hartley(z, self._axes)

    def measured_spectrum(self, y: Batch) -> Batch:
        """U^T y, where U^T first turns back the phases of h."""
        size = jnp.abs(self.transfer)
        seen = size > 0
        phase = jnp.where(seen, jnp.conj(self.transfer) / jnp.where(seen, size, 1), 0)
        return hartley(self._filtered(y, phase), self._axes)

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(1, len(self.shape)))

    def _filtered(self, x: Batch, transfer: Array) -> Batch:
        """F^H diag(transfer) F x, by the half of the frequencies that a real image needs."""
        half = transfer[..., : self.shape[-2] // 2 + 1, None]
        spectrum = jnp.fft.rfftn(x, axes=self._axes) * half
        return jnp.fft.irfftn(spectrum, s=self.shape[:-1], axes=self._axes).astype(x.dtype)
