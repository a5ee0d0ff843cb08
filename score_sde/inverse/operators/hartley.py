"""A real orthogonal Fourier transform."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp

from score_sde.typing import Array


def hartley(x: Array, axes: Sequence[int]) -> Array:
    """sum_n x_n (cos + sin)(2 pi k.n / N) / sqrt(N), over all ``axes``: its own inverse and transpose.

    Real and imaginary part of the orthonormal discrete Fourier transform, the former less the latter. A
    convolution scales the pair of frequencies k and -k alike, so that its squares are diagonal in this basis
    as in the complex one (Bracewell 1983).
    """
    spectrum = jnp.fft.fftn(x, axes=tuple(axes), norm="ortho")
    return spectrum.real - spectrum.imag
