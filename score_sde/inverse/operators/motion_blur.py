"""Blur by a straight movement."""

from __future__ import annotations

import math

import numpy as np

from score_sde.errors import InputError
from score_sde.inverse.operators.checks import require_number, require_shape
from score_sde.inverse.operators.circular import Circular

STEPS = 64  # points of the path for each pixel of its length


class MotionBlur(Circular):
    """The mean of the image, bilinear between pixels, over a straight path about each pixel; edges joined.

    Attributes:
        length: of the path, in pixels.
        angle: of the path from the direction of rows to the right, anticlockwise, in degrees.

    Raises:
        InputError: a length that is not positive or does not fit into the image.
    """

    length: float = 5.0
    angle: float = 0.0

    def response(self) -> np.ndarray:
        """Weights of the four pixels about each point of the path, added up."""
        require_shape("MotionBlur", self.shape, least_axes=3)
        require_number("MotionBlur.length", self.length, 0, strictly=True)
        require_number("MotionBlur.angle", self.angle, -math.inf)
        sides = self.shape[:2]
        if self.length >= min(sides):
            raise InputError("MotionBlur.length", self.length, f"less than the sides {sides}")
        count = math.ceil(STEPS * self.length)
        along = self.length * ((np.arange(count) + 0.5) / count - 0.5)
        turn = math.radians(float(self.angle))
        places = (-along * math.sin(turn), along * math.cos(turn))
        response = np.zeros(sides)
        for corner in np.ndindex(2, 2):
            whole = [np.floor(place).astype(int) for place in places]
            shares = [abs(1 - c - (p - w)) for c, p, w in zip(corner, places, whole, strict=True)]
            pixels = tuple((w + c) % n for c, w, n in zip(corner, whole, sides, strict=True))
            np.add.at(response, pixels, shares[0] * shares[1] / count)
        return response
