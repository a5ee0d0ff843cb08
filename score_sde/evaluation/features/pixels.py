"""The values themselves."""

from __future__ import annotations

import math

import numpy as np

from score_sde.errors import InputError
from score_sde.evaluation.checks import as_rows
from score_sde.evaluation.features.base import Features
from score_sde.pytree import static


class Pixels(Features):
    """The values of an example, in data units; images as means of squares where they have too many.

    The covariance of d features has d^2 numbers. Images of more than ``limit`` values are therefore
    averaged over squares of the smallest side, a divisor of height and width, that brings them there.
    """

    limit: int = static(1024)

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise InputError("features.limit", self.limit, "a positive number of values", "raise it")

    def __call__(self, examples: np.ndarray) -> np.ndarray:
        """(B, *event) -> (B, values); InputError for a large event that is no image."""
        examples = np.asarray(examples)
        side = self.side(examples.shape[1:])
        if side > 1:
            batch, height, width, channels = examples.shape
            squares = examples.reshape(batch, height // side, side, width // side, side, channels)
            examples = squares.mean(axis=(2, 4), dtype=np.float64)
        return as_rows("examples", examples)

    def side(self, event: tuple[int, ...]) -> int:
        """The side of the squares that are averaged, in pixels."""
        if math.prod(event) <= self.limit:
            return 1
        if len(event) == 3:
            height, width, channels = event
            for side in range(2, min(height, width) + 1):
                small = height // side * (width // side) * channels
                if height % side == width % side == 0 and small <= self.limit:
                    return side
        expected = f"an event of at most {self.limit} values, or an image that squares divide"
        raise InputError("Pixels: shape of an example", event, expected, "raise features.limit")
