"""Scales on which a series is modelled."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from score_sde.errors import InputError


class Scale(ABC):
    """A rising function of the data, and its inverse; NaN stays NaN."""

    name: str

    @abstractmethod
    def forward(self, y: np.ndarray) -> np.ndarray:
        """Data -> what is modelled; InputError naming the first value that it has none for."""

    @abstractmethod
    def backward(self, x: np.ndarray) -> np.ndarray:
        """What is modelled -> data."""


class AsItIs(Scale):
    """The data."""

    name = "none"

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Y."""
        return np.asarray(y, float)

    def backward(self, x: np.ndarray) -> np.ndarray:
        """X."""
        return x


class SquareRoot(Scale):
    """The square root: for counts, whose spread grows with them. Draws below 0 are 0."""

    name = "sqrt"

    def forward(self, y: np.ndarray) -> np.ndarray:
        """sqrt(y)."""
        _require(y, np.asarray(y) < 0, "numbers not below 0, for square roots")
        return np.sqrt(y)

    def backward(self, x: np.ndarray) -> np.ndarray:
        """max(x, 0)^2."""
        return np.square(np.maximum(x, 0))


class Logarithm(Scale):
    """The logarithm: for what grows in proportion to itself."""

    name = "log"

    def forward(self, y: np.ndarray) -> np.ndarray:
        """log(y)."""
        _require(y, np.asarray(y) <= 0, "positive numbers, for logarithms")
        return np.log(y)

    def backward(self, x: np.ndarray) -> np.ndarray:
        """exp(x)."""
        return np.exp(x)


def _require(y: np.ndarray, wrong: np.ndarray, expected: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(f"value in row {row + 1}", float(np.asarray(y)[row]), expected, "change --scale")
