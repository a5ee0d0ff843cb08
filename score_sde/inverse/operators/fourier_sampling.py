"""Some frequencies of an image: magnetic resonance imaging."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.inverse.base import SpectralOperator
from score_sde.inverse.operators.checks import boolean, require_example, require_shape
from score_sde.inverse.operators.hartley import hartley
from score_sde.pytree import derived
from score_sde.typing import Array, Batch


class FourierSampling(SpectralOperator):
    """Real and imaginary parts of those frequencies that ``mask`` keeps, of real images: (batch, n, 2, C).

    F is orthonormal over all axes but that of the channels. Of a real image the frequencies k and -k are
    conjugate, so S^2 = (mask(k) + mask(-k)) / 2: a frequency seen twice has singular value one, one seen
    without its partner 1 / sqrt(2), and the imaginary parts at k = -k measure nothing. V is the Hartley
    transform. Signals (L, C) and images (H, W, C).

    Attributes:
        mask: booleans of the sides, in the order of ``numpy.fft`` (the mean first; ``numpy.fft.ifftshift``
        brings
            a mask with the mean in the middle to this order).

    Raises:
        InputError: a mask of another dtype or shape, or one without any frequency.
    """

    mask: Any
    indices: Array = derived()

    def __post_init__(self) -> None:
        require_shape("FourierSampling", self.shape, least_axes=2)
        mask = boolean("FourierSampling", self.mask, self.shape[:-1], "frequency that is measured")
        object.__setattr__(self, "mask", jnp.asarray(mask))
        object.__setattr__(self, "indices", jnp.asarray(np.flatnonzero(mask), jnp.int32))

    def __call__(self, x: Batch) -> Batch:
        """Parts of the frequencies in the order of the mask."""
        require_example(self, x)
        spectrum = jnp.fft.fftn(x, axes=self._axes, norm="ortho")
        seen = spectrum.reshape(x.shape[0], -1, self.shape[-1])[:, self.indices]
        return jnp.stack([seen.real, seen.imag], axis=2).astype(x.dtype)

    def adjoint(self, y: Batch) -> Batch:
        """The real part of the inverse transform of what was seen, zeros elsewhere."""
        seen = jax.lax.complex(y[:, :, 0], y[:, :, 1])
        empty = jnp.zeros((y.shape[0], self.mask.size, self.shape[-1]), seen.dtype)
        filled = empty.at[:, self.indices].set(seen, unique_indices=True, indices_are_sorted=True)
        spectrum = filled.reshape(-1, *self.shape)
        return jnp.fft.ifftn(spectrum, axes=self._axes, norm="ortho").real.astype(y.dtype)

    @property
    def singular_values(self) -> Array:
        """sqrt((mask(k) + mask(-k)) / 2), alike for all channels."""
        axes = tuple(range(self.mask.ndim))
        mirrored = jnp.roll(jnp.flip(self.mask, axes), 1, axes)  # the value at -k
        values = jnp.sqrt((self.mask.astype(jnp.result_type(float)) + mirrored) / 2)
        return jnp.broadcast_to(values[..., None], self.shape)

    def to_spectrum(self, x: Batch) -> Batch:
        """The Hartley transform."""
        return hartley(x, self._axes)

    def from_spectrum(self, z: Batch) -> Batch:
        """The Hartley transform, which is its own inverse."""
        return hartley(z, self._axes)

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(1, len(self.shape)))
