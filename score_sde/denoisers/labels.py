"""What networks are told about the time: the published noise labels."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.denoisers.base import Labels
from score_sde.errors import InputError
from score_sde.pytree import static
from score_sde.typing import Array, Time


class TimeLabels(Labels):
    """scale * t / T, for any SDE. 999 is that of the VP models of Song et al. 2021."""

    scale: float = 999.0

    def __call__(self, sde: Any, t: Time) -> Array:
        """Label of time t, between 0 and ``scale``."""
        return self.scale * (jnp.asarray(t) / sde.T)


class DataTimeLabels(Labels):
    """scale (1 - t / T): the time of a clock that runs from noise (0) to data (``scale``), as SiT's."""

    scale: float = 1.0

    def __call__(self, sde: Any, t: Time) -> Array:
        """Label of time t, between 0 and ``scale``."""
        return self.scale * (1 - jnp.asarray(t) / sde.T)


class StepLabels(Labels):
    """scale (N t / T - 1): the label, from 0, of a chain's N steps (``sdes.DiscreteVP``; Ho et al. 2020).

    ``scale = 1000 / N`` brings those of any chain to 0 .. 1000: ``rescale_timesteps`` of guided-diffusion.
    """

    steps: int = static(1000)
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError("StepLabels.steps", self.steps, "a positive count", "give the chain's")

    def __call__(self, sde: Any, t: Time) -> Array:
        """Label of time t."""
        return self.scale * (jnp.asarray(t) * (self.steps / sde.T) - 1)


class SigmaLabels(Labels):
    """sigma(t): the VE models of Song et al. 2021, whose networks embed its logarithm."""

    def __call__(self, sde: Any, t: Time) -> Array:
        """Label of time t."""
        return sde.sigma(t)


class LogSigmaLabels(Labels):
    """scale * log(sigma / alpha) (Karras et al. 2022, table 1, with scale 1/4).

    The logarithm is cut at +-``limit``, so that labels are finite where sigma or alpha is zero.
    """

    scale: float = 0.25
    limit: float = 20.0

    def __call__(self, sde: Any, t: Time) -> Array:
        """Label of time t."""
        return self.scale * jnp.clip(-0.5 * sde.log_snr(t), -self.limit, self.limit)


class LogSNRLabels(Labels):
    """scale * log(alpha^2 / sigma^2) (Kingma et al. 2021), cut at +-``limit``."""

    scale: float = 1.0
    limit: float = 40.0

    def __call__(self, sde: Any, t: Time) -> Array:
        """Label of time t."""
        return self.scale * jnp.clip(sde.log_snr(t), -self.limit, self.limit)
