"""The times that a sampler visits."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.pytree import Pytree
from score_sde.samplers.base import Grid
from score_sde.samplers.checks import (
    floating,
    require_decreasing,
    require_gaussian,
    require_not_negative,
    require_positive,
    require_whole,
)
from score_sde.sdes.base import SDE, GaussianSDE
from score_sde.typing import Array


class Uniform(Grid):
    """Equal steps in time down to ``t_min``."""

    t_min: float = 1e-3

    def __post_init__(self) -> None:
        require_not_negative("Uniform.t_min", self.t_min)

    def __call__(self, sde: SDE, n_steps: int, start: Array | float | None = None) -> Array:
        """start + (t_min - start) i / n."""
        return jnp.linspace(_first(sde, start), self.t_min, n_steps + 1)


class NoiseRange(Pytree):
    """From which to which noise-to-signal ratio sigma / alpha a grid goes.

    The upper end is lowered to the ratio at the start (where alpha > 0), the lower end raised to the
    ratio at 0. The grid's first time is the start itself, whatever its ratio, since the prior is x_T.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def __post_init__(self) -> None:
        where = type(self).__name__
        require_positive(f"{where}.sigma_min", self.sigma_min)
        if not self.sigma_max > self.sigma_min:
            expected = f"more than sigma_min = {self.sigma_min!r}"
            raise InputError(f"{where}.sigma_max", self.sigma_max, expected)

    def ends(self, sde: GaussianSDE, first: Array) -> tuple[Array, Array]:
        """The lowest and the highest ratio."""
        low = jnp.maximum(self.sigma_min, _ratio(sde, jnp.zeros_like(first)))
        return low, jnp.minimum(self.sigma_max, _ratio(sde, first))


class Karras(NoiseRange, Grid):
    """Equal steps in (sigma / alpha)^(1/rho), crowded towards small noise (Karras et al. 2022, eq. 5).

    It ends at ``sigma_min``; ``ToZero(grid=Karras())`` adds the paper's last step to t = 0.
    """

    rho: float = 7.0

    def __call__(self, sde: SDE, n_steps: int, start: Array | float | None = None) -> Array:
        """Times of (high^(1/rho) + i / n (low^(1/rho) - high^(1/rho)))^rho."""
        gaussian, first = require_gaussian("Karras", sde, "Uniform"), _first(sde, start)
        low, high = self.ends(gaussian, first)
        roots = jnp.linspace(high ** (1 / self.rho), low ** (1 / self.rho), n_steps + 1)
        return _times_at(gaussian, roots**self.rho, first)


class LogSNR(NoiseRange, Grid):
    """Equal steps in log(alpha^2 / sigma^2) (Lu et al. 2022, section 3.2)."""

    def __call__(self, sde: SDE, n_steps: int, start: Array | float | None = None) -> Array:
        """Times of high (low / high)^(i / n)."""
        gaussian, first = require_gaussian("LogSNR", sde, "Uniform"), _first(sde, start)
        low, high = self.ends(gaussian, first)
        return _times_at(gaussian, jnp.geomspace(high, low, n_steps + 1), first)


class ToZero(Grid):
    """Another grid with one step fewer, and then t = 0."""

    grid: Grid = Karras()

    def __call__(self, sde: SDE, n_steps: int, start: Array | float | None = None) -> Array:
        """The grid's times and 0."""
        require_whole("n_steps of ToZero", n_steps, 2, "or use its grid without ToZero")
        times = self.grid(sde, n_steps - 1, start)
        return jnp.append(times, 0)


class UserGrid(Grid):
    """A user's own times; ``start``, if given, takes the place of the first.

    Attributes:
        times: strictly decreasing, (n_steps + 1,).
    """

    times: Array

    def __post_init__(self) -> None:
        require_decreasing("UserGrid.times", self.times)

    def __call__(self, sde: SDE, n_steps: int, start: Array | float | None = None) -> Array:
        """The times."""
        times = floating(self.times)
        if times.shape != (n_steps + 1,):
            expected = f"{n_steps + 1} times for n_steps = {n_steps}"
            raise InputError("UserGrid.times", times.shape[0], expected, "change n_steps or the times")
        return times if start is None else times.at[0].set(start)


def _first(sde: SDE, start: Array | float | None) -> Array:
    return floating(sde.T if start is None else start)


def _ratio(sde: GaussianSDE, t: Array) -> Array:
    return jnp.exp(-0.5 * sde.log_snr(t))


def _times_at(sde: GaussianSDE, ratios: Array, first: Array) -> Array:
    times = sde.time_at_log_snr(-2 * jnp.log(ratios))
    return jnp.clip(times, 0, sde.T).at[0].set(first)
