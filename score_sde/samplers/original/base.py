"""What the original code's samplers share: N discrete times, read off by an index.

Facts from https://github.com/yang-song/score_sde (``sde_lib.py`` and ``sampling.py``). Its steps know only
the time they start from; the length 1 / N and the tables come from N.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.pytree import Pytree, static
from score_sde.samplers.checks import require_whole
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch


class Discretization(Pytree, ABC):
    """Forward steps x_{i+1} = x_i + f_i(x_i) + G_i z.

    Attributes:
        N: number of steps.
    """

    N: int = static(1000)

    def __post_init__(self) -> None:
        require_whole(f"{type(self).__name__}.N", self.N, 1)

    @abstractmethod
    def __call__(self, sde: SDE, x: Batch, t: Array) -> tuple[Batch, Array]:
        """f and G of the step at time t."""


class Reverse(Pytree):
    """How a forward step is turned round.

    Attributes:
        score_weight: factor of g^2 score in the reverse drift.
        noise_weight: factor of g in the reverse noise.
    """

    score_weight: ClassVar[float]
    noise_weight: ClassVar[float]


class ReverseSDE(Reverse):
    """Drift f - g^2 score, noise g."""

    score_weight: ClassVar[float] = 1.0
    noise_weight: ClassVar[float] = 1.0


class ReverseODE(Reverse):
    """Drift f - g^2 score / 2 and no noise (it is drawn, not used): the original's ``probability_flow``."""

    score_weight: ClassVar[float] = 0.5
    noise_weight: ClassVar[float] = 0.0


class StepScale(Pytree, ABC):
    """The factor alpha in the Langevin step of the original code."""

    @abstractmethod
    def __call__(self, sde: SDE, t: Array) -> Array:
        """Alpha at time t."""

    def check(self, n_steps: int) -> None:
        """Raise InputError unless the factor is that of a sampler of ``n_steps`` steps."""
        del n_steps


def index(sde: SDE, t: Array, N: int) -> Array:
    """t (N - 1) / T, cut off."""
    return (t * (N - 1) / sde.T).astype(jnp.int32)


def ddpm_betas(sde: Any, N: int) -> Array:
    """linspace(beta_min / N, beta_max / N, N)."""
    _require_fields(sde, "beta_min", "beta_max")
    return jnp.linspace(sde.beta_min / N, sde.beta_max / N, N)


def smld_sigmas(sde: Any, N: int) -> Array:
    """exp(linspace(log sigma_min, log sigma_max, N))."""
    _require_fields(sde, "sigma_min", "sigma_max")
    return jnp.exp(jnp.linspace(jnp.log(sde.sigma_min), jnp.log(sde.sigma_max), N))


def neighbouring_sigmas(sde: Any, t: Array, N: int) -> tuple[Array, Array]:
    """sigma_i and sigma_{i-1} at the index of t, with zero before the first."""
    sigmas, i = smld_sigmas(sde, N), index(sde, t, N)
    return sigmas[i], jnp.where(i == 0, 0, sigmas[i - 1])


def require_steps(where: str, N: int, n_steps: int) -> None:
    """Raise unless a sampler takes the N steps that its part was made for."""
    if n_steps != N:
        raise InputError(f"{where}.N", N, f"the sampler's n_steps = {n_steps}", "give both the same number")


def _require_fields(sde: Any, *names: str) -> None:
    for name in names:
        if not hasattr(sde, name):
            raise InputError("sde", type(sde).__name__, f"an SDE with {name}", "use EulerDiscretization")
