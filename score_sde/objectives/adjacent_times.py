"""Neighbouring times of consistency training: a grid, how fine it is, and which cell is drawn."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr, ndtri

from score_sde.errors import InputError
from score_sde.objectives.base import AdjacentTimes, Pair
from score_sde.pytree import Pytree, static
from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.checks import require_positive
from score_sde.typing import Array, Key


def _require_count(where: str, value: int) -> None:
    if value < 1:
        raise InputError(where, value, "a positive count", "raise it")


class Curriculum(Pytree, ABC):
    """How many intervals the grid has, by update."""

    @property
    @abstractmethod
    def final(self) -> int:
        """Intervals at the end of training."""

    @abstractmethod
    def __call__(self, count: Array) -> Array | int:
        """Intervals at the update after ``count`` others."""


class FixedIntervals(Curriculum):
    """The same number throughout (Song et al. 2023: 18 times, 17 intervals, for distillation on CIFAR-10)."""

    intervals: int = static(17)

    def __post_init__(self) -> None:
        _require_count("FixedIntervals.intervals", self.intervals)

    @property
    def final(self) -> int:
        """Intervals at the end of training."""
        return self.intervals

    def __call__(self, count: Array) -> Array | int:
        """``intervals``."""
        del count
        return self.intervals


class Growing(Curriculum):
    """From ``first`` intervals to ``last`` over ``updates`` updates."""

    first: int = static()
    last: int = static()
    updates: int = static(800_000)

    def __post_init__(self) -> None:
        name = type(self).__name__
        _require_count(f"{name}.first", self.first)
        _require_count(f"{name}.updates", self.updates)
        if self.last < self.first:
            expected = f"at least first = {self.first}"
            raise InputError(f"{name}.last", self.last, expected, "raise it")

    @property
    def final(self) -> int:
        """Intervals at the end of training."""
        return self.last


class SquareRootIntervals(Growing):
    """ceil(sqrt(k / K ((last + 1)^2 - first^2) + first^2) - 1), at least 1 (Song et al. 2023, appendix C)."""

    first: int = static(2)
    last: int = static(150)

    def __call__(self, count: Array) -> Array:
        """Intervals at the update after ``count`` = k others, of ``updates`` = K."""
        share = jnp.minimum(count / self.updates, 1.0)
        root = jnp.sqrt(share * ((self.last + 1) ** 2 - self.first**2) + self.first**2)
        return jnp.clip(jnp.ceil(root - 1), 1, self.last).astype(int)


class DoublingIntervals(Growing):
    """first, 2 first, 4 first .. last, each for as many updates (Song and Dhariwal 2023, section 3.4)."""

    first: int = static(10)
    last: int = static(1280)

    def __call__(self, count: Array) -> Array:
        """Intervals at the update after ``count`` others."""
        stages = math.floor(math.log2(self.last // self.first)) + 1
        stage = jnp.minimum(count // max(self.updates // stages, 1), stages)
        return jnp.minimum(self.first * 2**stage, self.last)


class Cells(Pytree, ABC):
    """Which cell of the grid is drawn, as a law of positions from 0 to 1 along it."""

    @abstractmethod
    def __call__(self, u: Array, low: Array, high: Array, rho: float) -> Array:
        """The position below which lies a share ``u``; r^(1/rho) is linear in it from low to high."""


class EqualCells(Cells):
    """All with the same chance (Song et al. 2023, algorithm 2)."""

    def __call__(self, u: Array, low: Array, high: Array, rho: float) -> Array:
        """U."""
        del low, high, rho
        return u


class LogNormalCells(Cells):
    """Each as log(sigma / alpha) ~ N(mean, std^2) would have it (Song and Dhariwal 2023, eq. 10)."""

    mean: float = -1.1
    std: float = 2.0

    def __post_init__(self) -> None:
        require_positive("LogNormalCells.std", self.std)

    def __call__(self, u: Array, low: Array, high: Array, rho: float) -> Array:
        """Of the ratio whose normal deviate lies a share u between those of the ends."""
        first, last = (ndtr((jnp.log(end) - self.mean) / self.std) for end in (low, high))
        ratio = jnp.exp(self.mean + self.std * ndtri(first + u * (last - first)))
        begin, end = low ** (1 / rho), high ** (1 / rho)
        return (ratio ** (1 / rho) - begin) / (end - begin)


class KarrasPairs(AdjacentTimes):
    """Neighbours in a grid of sigma / alpha that is even in its rho-th root (Karras et al. 2022, eq. 5).

    As in ``samplers.Karras``, the ends are moved into the SDE's range and the last time is T itself.

    Attributes:
        intervals: how many, by update.
        cells: which is drawn.
        sigma_min: smallest sigma / alpha.
        sigma_max: largest.
        rho: how crowded towards small noise.
    """

    intervals: Curriculum = FixedIntervals()
    cells: Cells = EqualCells()
    sigma_min: float = 0.002
    sigma_max: float = 80.0
    rho: float = 7.0

    def __post_init__(self) -> None:
        require_positive("KarrasPairs.sigma_min", self.sigma_min)
        if not self.sigma_max > self.sigma_min:
            expected = f"more than sigma_min = {self.sigma_min!r}"
            raise InputError("KarrasPairs.sigma_max", self.sigma_max, expected)

    def __call__(self, key: Key, sde: Any, n: int, count: Array | None = None) -> Pair:
        """``n`` pairs."""
        intervals = self.intervals.final if count is None else self.intervals(count)
        return self.at(sde, jax.random.uniform(key, (n,)), intervals)

    def at(self, sde: GaussianSDE, u: Array, intervals: Array | int) -> Pair:
        """The cells at which the law has shares ``u``, from 0 to 1."""
        low = jnp.maximum(self.sigma_min, _ratio(sde, 0.0))
        high = jnp.minimum(self.sigma_max, _ratio(sde, sde.T))
        position = self.cells(u, low, high, self.rho)
        index = jnp.clip(jnp.floor(position * intervals), 0, intervals - 1)
        begin, end = low ** (1 / self.rho), high ** (1 / self.rho)

        def ratio(index: Array) -> Array:
            return (begin + index / intervals * (end - begin)) ** self.rho

        small, large = ratio(index), ratio(index + 1)
        t = jnp.where(index + 1 == intervals, sde.T, _time(sde, large))
        return Pair(t, _time(sde, small), large - small)


def _ratio(sde: GaussianSDE, t: float) -> Array:
    return jnp.exp(-0.5 * sde.log_snr(jnp.asarray(t, dtype=float)))


def _time(sde: GaussianSDE, ratio: Array) -> Array:
    return jnp.clip(sde.time_at_log_snr(-2 * jnp.log(ratio)), 0, sde.T)
