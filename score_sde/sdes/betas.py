"""The noise that each step of a discrete variance-preserving chain adds."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from score_sde.errors import InputError
from score_sde.pytree import Pytree, static


class Betas(Pytree, ABC):
    """beta_i of x_i = sqrt(1 - beta_i) x_{i-1} + sqrt(beta_i) z, i = 1 .. N; a table, never traced."""

    @abstractmethod
    def __call__(self, steps: int) -> np.ndarray:
        """All N of them in float64, each between 0 and 1."""


class LinearBetas(Betas):
    """Evenly spaced from 1000 / N first to 1000 / N last (Ho et al. 2020, section 4)."""

    first: float = static(1e-4)
    last: float = static(0.02)

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.last < 1:
            raise InputError(
                "LinearBetas.last", self.last, f"at least first = {self.first!r}, both in (0, 1)"
            )

    def __call__(self, steps: int) -> np.ndarray:
        """Scaled so that the end of the chain does not depend on N."""
        betas = np.linspace(self.first, self.last, steps) * (1000 / steps)
        if betas[-1] >= 1:
            raise InputError("DiscreteVP.steps", steps, "so many that every beta is below 1", "raise it")
        return betas


class CosineBetas(Betas):
    """1 - f(i / N) / f((i - 1) / N) with f(t) = cos(pi / 2 (t + offset) / (1 + offset))^2, cut at ``most``.

    Nichol and Dhariwal 2021, eq. 17 and the text below it.
    """

    offset: float = static(0.008)
    most: float = static(0.999)

    def __post_init__(self) -> None:
        if not self.offset > 0:
            raise InputError("CosineBetas.offset", self.offset, "a positive number")
        if not 0 < self.most < 1:
            raise InputError("CosineBetas.most", self.most, "a number in (0, 1)")

    def __call__(self, steps: int) -> np.ndarray:
        """The quotient of neighbouring products."""
        times = np.arange(steps + 1) / steps
        product = np.square(np.cos(0.5 * np.pi * (times + self.offset) / (1 + self.offset)))
        return np.minimum(1 - product[1:] / product[:-1], self.most)
