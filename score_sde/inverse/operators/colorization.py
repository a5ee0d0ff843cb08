"""Grey pictures of coloured images."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.inverse.base import SpectralOperator
from score_sde.inverse.operators.checks import require_example, require_shape
from score_sde.products import full_matmul
from score_sde.pytree import derived
from score_sde.typing import Array, Batch


def grey_basis(channels: int) -> np.ndarray:
    """An orthogonal matrix (channels, channels) whose first column is the grey one, 1 / sqrt(channels).

    Column j >= 1 weighs channel j against those after it (Helmert's basis). For three channels these are the
    numbers of Song et al. 2021 (their code for appendix I.3), rounded there to float32.
    """
    basis = np.zeros((channels, channels))
    basis[:, 0] = 1 / math.sqrt(channels)
    for j in range(1, channels):
        rest = channels - j
        basis[j - 1, j], basis[j:, j] = rest, -1
        basis[:, j] *= (-1) ** j / math.sqrt(rest * (rest + 1))
    return basis


class Colorization(SpectralOperator):
    """y = sum of the channels / sqrt(C), (batch, ..., 1): the first of C orthogonal mixtures of the channels.

    A A^T = I. V mixes the channels of each pixel by ``grey_basis``. A grey picture g, alike in all channels,
    is measured as sqrt(C) g. Song et al. 2021, appendix I.3, for any number of channels.
    """

    basis: Array = derived()

    def __post_init__(self) -> None:
        require_shape("Colorization", self.shape, least_axes=2)
        if self.shape[-1] == 1:
            raise InputError("Colorization.shape", self.shape, "more than one channel", "grey has no colour")
        object.__setattr__(self, "basis", jnp.asarray(grey_basis(self.shape[-1]), jnp.result_type(float)))

    def __call__(self, x: Batch) -> Batch:
        """The grey channel."""
        require_example(self, x)
        return jnp.sum(x, axis=-1, keepdims=True) / math.sqrt(self.shape[-1])

    def adjoint(self, y: Batch) -> Batch:
        """The same in every channel."""
        return jnp.broadcast_to(y, (*y.shape[:-1], self.shape[-1])) / math.sqrt(self.shape[-1])

    @property
    def singular_values(self) -> Array:
        """One for the grey mixture of every pixel, zero for the others."""
        grey = jnp.zeros(self.shape[-1]).at[0].set(1)
        return jnp.broadcast_to(grey, self.shape)

    def to_spectrum(self, x: Batch) -> Batch:
        """The orthogonal mixtures of the channels: grey first."""
        return full_matmul(x, self.basis)

    def from_spectrum(self, z: Batch) -> Batch:
        """Channels of mixtures."""
        return full_matmul(z, self.basis.T)

    def measured_spectrum(self, y: Batch) -> Batch:
        """Y as the grey mixture, beside zeros."""
        return jnp.concatenate([y, jnp.zeros((*y.shape[:-1], self.shape[-1] - 1), y.dtype)], axis=-1)
