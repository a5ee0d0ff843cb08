"""Flames and films: the simplest chaotic field."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.dynamics.semilinear import Semilinear
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Key


class KuramotoSivashinsky(Semilinear):
    """u_t = -u u_x - u_xx - u_xxxx on a ring of ``length``; the mean of u is kept.

    The paper of the solver has length 32 pi and 128 places (Kassam and Trefethen 2005, section 4); length 22
    is the smallest common one that is chaotic.

    Attributes:
        places: of the grid; the upper third of wave numbers is cut in products.
        length: of the ring.
    """

    places: int = static(64)
    length: float = static(22.0)
    dt: float = static(1.0)
    substeps: int = static(4)

    @property
    def shape(self) -> tuple[int, ...]:
        """One number at each place."""
        return (self.places,)

    def _wave_numbers(self) -> np.ndarray:
        return 2 * np.pi / self.length * np.arange(self.places // 2 + 1)

    def symbol(self) -> np.ndarray:
        """k^2 - k^4: long waves grow, short ones die."""
        k = self._wave_numbers()
        return k**2 - k**4

    def nonlinear(self, modes: Array) -> Array:
        """Of -(u^2)_x / 2."""
        kept = np.arange(self.places // 2 + 1) < self.places / 3
        u = jnp.fft.irfft(modes * kept, n=self.places, axis=-1)
        half_gradient = jnp.asarray(0.5 * self._wave_numbers() * kept, u.dtype)
        return -1j * half_gradient * jnp.fft.rfft(jnp.square(u), axis=-1)

    def start(self, key: Key, n: int) -> Batch:
        """A few long waves, of mean zero."""
        phase_key, size_key = jax.random.split(key)
        place = jnp.arange(self.places) / self.places
        waves = jnp.arange(1, 4)[:, None, None]
        phase = jax.random.uniform(phase_key, (3, n, 1))
        size = jax.random.normal(size_key, (3, n, 1))
        return jnp.sum(size * jnp.cos(2 * jnp.pi * (waves * place + phase)), axis=0)
