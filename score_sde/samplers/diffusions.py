"""How much noise a sampler's SDE has, w(t) = (its diffusion)^2 / 2, whatever the forward process had."""

from __future__ import annotations

from abc import ABC, abstractmethod

import jax.numpy as jnp

from score_sde.pytree import Pytree
from score_sde.samplers.checks import require_not_negative
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Time


class Diffusion(Pytree, ABC):
    """w(t) >= 0: every one gives an SDE with the same marginals (Ma et al. 2024, section 2.4)."""

    norm: float = 1.0

    def __post_init__(self) -> None:
        require_not_negative(f"{type(self).__name__}.norm", self.norm)

    @abstractmethod
    def __call__(self, sde: GaussianSDE, t: Time) -> Array:
        """w(t), with the shape of ``t``."""


class MatchedDiffusion(Diffusion):
    """norm g(t)^2 / 2: with 1 that of the reverse SDE, which is infinite where alpha = 0 ("SBDM" of SiT)."""

    def __call__(self, sde: GaussianSDE, t: Time) -> Array:
        """Norm g^2 / 2."""
        return 0.5 * self.norm * sde.squared_diffusion(t)


class SigmaDiffusion(Diffusion):
    """norm sigma(t): finite everywhere, and gone at the data ("sigma" of SiT)."""

    def __call__(self, sde: GaussianSDE, t: Time) -> Array:
        """Norm sigma."""
        return self.norm * sde.sigma(t)


class ConstantDiffusion(Diffusion):
    """norm ("constant" of SiT)."""

    def __call__(self, sde: GaussianSDE, t: Time) -> Array:
        """The norm."""
        return self.norm * jnp.ones_like(sde.sigma(t))
