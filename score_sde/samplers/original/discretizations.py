"""The original code's three ways to discretise a forward SDE."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.samplers.original.base import (
    Discretization,
    ddpm_betas,
    index,
    neighbouring_sigmas,
)
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch


class EulerDiscretization(Discretization):
    """f = drift / N, G = g / sqrt(N): the original's for every SDE but VP and VE."""

    def __call__(self, sde: SDE, x: Batch, t: Array) -> tuple[Batch, Array]:
        """f and G."""
        dt = 1 / self.N
        return sde.drift(x, t) * dt, sde.diffusion(t) * jnp.sqrt(dt)


class DDPMDiscretization(Discretization):
    """f = (sqrt(1 - beta_i) - 1) x, G = sqrt(beta_i): the original's for the VP SDE (Ho et al. 2020)."""

    def __call__(self, sde: SDE, x: Batch, t: Array) -> tuple[Batch, Array]:
        """f and G."""
        beta = ddpm_betas(sde, self.N)[index(sde, t, self.N)]
        return jnp.sqrt(1 - beta) * x - x, jnp.sqrt(beta)


class SMLDDiscretization(Discretization):
    """f = 0, G^2 = sigma_i^2 - sigma_{i-1}^2: the original's for the VE SDE (Song and Ermon 2019)."""

    def __call__(self, sde: SDE, x: Batch, t: Array) -> tuple[Batch, Array]:
        """f and G."""
        sigma, before = neighbouring_sigmas(sde, t, self.N)
        return jnp.zeros_like(x), jnp.sqrt(jnp.square(sigma) - jnp.square(before))
