"""Noise levels that a model knows, where it was trained at some of them only."""

from __future__ import annotations

from abc import ABC, abstractmethod

import jax.numpy as jnp

from score_sde.denoisers.karras import iddpm_ratios, nearest
from score_sde.pytree import Pytree, static
from score_sde.typing import Array


class Rounding(Pytree, ABC):
    """From a noise-to-signal ratio sigma / alpha to the nearest that the model knows."""

    @abstractmethod
    def __call__(self, ratio: Array) -> Array:
        """The ratio to take instead."""


class Exact(Rounding):
    """Every ratio is known: models trained in continuous time."""

    def __call__(self, ratio: Array) -> Array:
        """The ratio itself."""
        return ratio


class IDDPMRounding(Rounding):
    """The nearest of iDDPM's M + 1 ratios (Karras et al. 2022, appendix C.3.3; its ``round_sigma``)."""

    steps: int = static(1000)
    c1: float = static(0.001)
    c2: float = static(0.008)

    def __call__(self, ratio: Array) -> Array:
        """u_j."""
        table = jnp.asarray(iddpm_ratios(self.steps, self.c1, self.c2), ratio.dtype)
        return table[nearest(table, ratio)]
