"""Turbulence on a torus, driven by a wave."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.dynamics.semilinear import Semilinear
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Key


class KolmogorovFlow(Semilinear):
    """Vorticity w of a plane flow: w_t + u . grad w = viscosity laplace w - drag w - n cos(n y).

    On (0, 2 pi)^2, with the force sin(n y) along x (Chandler and Kerswell 2013, without their drag). u comes
    from the stream function, u = (psi_y, -psi_x), -laplace psi = w.

    Attributes:
        side: of the grid; the upper third of wave numbers is cut in products.
        viscosity: 1 / the Reynolds number.
        drag: of the ground, which keeps large whirls from growing for ever.
        wave: n, the force's wave number.
    """

    side: int = static(64)
    viscosity: float = static(5e-3)
    drag: float = static(0.1)
    wave: int = static(4)
    dt: float = static(0.2)
    substeps: int = static(10)

    @property
    def shape(self) -> tuple[int, ...]:
        """The vorticity, [y, x]."""
        return (self.side, self.side)

    def _wave_numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Along x and y, (side, side // 2 + 1) each."""
        y, x = np.fft.fftfreq(self.side, 1 / self.side), np.arange(self.side // 2 + 1.0)
        found = np.meshgrid(x, y)
        return found[0], found[1]

    def symbol(self) -> np.ndarray:
        """Viscosity and drag."""
        kx, ky = self._wave_numbers()
        return -self.viscosity * (kx**2 + ky**2) - self.drag

    def nonlinear(self, modes: Array) -> Array:
        """Of the force less u . grad w."""
        kx, ky = self._wave_numbers()
        square = np.where((kx == 0) & (ky == 0), 1, kx**2 + ky**2)
        kept = (np.abs(kx) < self.side / 3) & (np.abs(ky) < self.side / 3)
        cut = modes * kept
        fields = [1j * ky / square * cut, -1j * kx / square * cut, 1j * kx * cut, 1j * ky * cut]
        u, v, w_x, w_y = (jnp.fft.irfftn(f, s=self.shape, axes=(-2, -1)) for f in fields)
        advected = jnp.fft.rfftn(u * w_x + v * w_y, axes=(-2, -1)) * kept
        return (self._force() - advected).astype(modes.dtype)

    def _force(self) -> np.ndarray:
        y = 2 * np.pi * np.arange(self.side) / self.side
        field = np.broadcast_to(-self.wave * np.cos(self.wave * y)[:, None], self.shape)
        return np.fft.rfftn(field)

    def start(self, key: Key, n: int) -> Batch:
        """Whirls of the sizes of the first four wave numbers, mean zero."""
        noise = jax.random.normal(key, (n, *self.shape))
        kx, ky = self._wave_numbers()
        low = (np.hypot(kx, ky) <= 4) & (np.hypot(kx, ky) > 0)
        w = jnp.fft.irfftn(jnp.fft.rfftn(noise, axes=(1, 2)) * low, s=self.shape, axes=(1, 2))
        return 3.0 * w / jnp.std(w, axis=(1, 2), keepdims=True)
