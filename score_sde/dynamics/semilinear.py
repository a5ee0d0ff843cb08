"""Stiff fields on a ring or torus: the linear part exactly, the rest by Runge-Kutta."""

from __future__ import annotations

from abc import abstractmethod

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.dynamics.base import System, require_steps
from score_sde.pytree import static
from score_sde.typing import Array, Batch

CONTOUR = 32  # points of the circle on which coefficients are averaged


class Semilinear(System):
    """u_t = L u + N(u) with L diagonal in Fourier space: exponential Runge-Kutta of fourth order.

    Cox and Matthews 2002, with coefficients by contour integrals (Kassam and Trefethen 2005), since their
    closed forms cancel where L is small.

    Attributes:
        dt: time from state to state; static, since the coefficients are made in float64 beforehand.
        substeps: of the solver.
    """

    dt: float = static(1.0)
    substeps: int = static(1)

    def __post_init__(self) -> None:
        require_steps(self)

    @abstractmethod
    def symbol(self) -> np.ndarray:
        """L at each wave number of ``jnp.fft.rfftn``'s layout, real."""

    @abstractmethod
    def nonlinear(self, modes: Array) -> Array:
        """Modes of N(u) from those of u, (batch, *modes)."""

    def advance(self, x: Batch) -> Batch:
        """The state a time ``dt`` later."""
        axes = tuple(range(1, x.ndim))
        h = self.dt / self.substeps
        weights = [jnp.asarray(each, x.dtype) for each in coefficients(h * self.symbol())]

        def step(modes: Array, _: None) -> tuple[Array, None]:
            return self._substep(modes, h, weights), None

        modes, _ = jax.lax.scan(step, jnp.fft.rfftn(x, axes=axes), None, length=self.substeps)
        return jnp.fft.irfftn(modes, s=x.shape[1:], axes=axes).astype(x.dtype)

    def _substep(self, v: Array, h: float, weights: list[Array]) -> Array:
        whole, half, q, first, middle, last = weights
        n_v = self.nonlinear(v)
        a = half * v + h * q * n_v
        n_a = self.nonlinear(a)
        b = half * v + h * q * n_a
        n_b = self.nonlinear(b)
        c = half * a + h * q * (2 * n_b - n_v)
        return whole * v + h * (first * n_v + 2 * middle * (n_a + n_b) + last * self.nonlinear(c))


def coefficients(z: np.ndarray) -> tuple[np.ndarray, ...]:
    """e^z, e^(z/2) and the four weights of the scheme, over h (Kassam and Trefethen 2005, section 3)."""
    circle = np.exp(1j * np.pi * (np.arange(1, CONTOUR + 1) - 0.5) / CONTOUR)  # the upper half: z is real
    r = z[..., None] + circle
    e = np.exp(r)
    first = (-4 - r + e * (4 - 3 * r + r**2)) / r**3
    middle = (2 + r + e * (r - 2)) / r**3
    last = (-4 - 3 * r - r**2 + e * (4 - r)) / r**3
    q = (np.exp(r / 2) - 1) / r
    return (np.exp(z), np.exp(z / 2), *(np.mean(each, axis=-1).real for each in (q, first, middle, last)))
