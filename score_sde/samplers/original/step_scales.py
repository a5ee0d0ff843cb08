"""The factor alpha of the original code's Langevin steps."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.pytree import static
from score_sde.samplers.checks import require_whole
from score_sde.samplers.original.base import StepScale, ddpm_betas, index, require_steps
from score_sde.sdes.base import SDE
from score_sde.typing import Array


class UnitAlpha(StepScale):
    """1: for the VE SDE."""

    def __call__(self, sde: SDE, t: Array) -> Array:
        """1."""
        return jnp.ones_like(t)


class DDPMAlpha(StepScale):
    """1 - beta_i: for the VP and sub-VP SDEs (Song et al. 2021, algorithm 5).

    Attributes:
        N: number of steps of the sampler.
    """

    N: int = static(1000)

    def __post_init__(self) -> None:
        require_whole("DDPMAlpha.N", self.N, 1)

    def __call__(self, sde: SDE, t: Array) -> Array:
        """1 - beta_i at the index of t."""
        return 1 - ddpm_betas(sde, self.N)[index(sde, t, self.N)]

    def check(self, n_steps: int) -> None:
        """Raise unless N = n_steps."""
        require_steps("DDPMAlpha", self.N, n_steps)
