"""Shadows of square pixels on a row of detectors."""

from __future__ import annotations

import math

import numpy as np

ROUNDING = 1e-12  # shares below it are differences of equal numbers: the pixel is not seen


def shadow_shares(distance: np.ndarray, cosine: float, sine: float) -> np.ndarray:
    """How much of a unit square's shadow falls below ``distance`` from its centre: from 0 to 1.

    The shadow is a trapezoid, the convolution of boxes as wide as |cosine| and |sine|.
    """
    wide, narrow = sorted((abs(cosine), abs(sine)), reverse=True)
    if narrow < 1e-9:
        return np.clip(distance / wide + 0.5, 0, 1)

    def below(t: np.ndarray) -> np.ndarray:  # the integral of the wide box's shares
        share = np.clip(t / wide + 0.5, 0, 1)
        return wide * np.square(share) / 2 + np.maximum(t - wide / 2, 0)

    return (below(distance + narrow / 2) - below(distance - narrow / 2)) / narrow


def footprints(height: int, width: int, degrees: float, detectors: int) -> tuple[np.ndarray, np.ndarray]:
    """The first detector that each pixel's shadow meets, and what that and the next two receive of it.

    Args:
        height: of the image.
        width: of the image.
        degrees: of the direction along which the detectors stand, anticlockwise from that of rows.
        detectors: how many, each as wide as a pixel, their middle under the middle of the image.

    Returns:
        (pixels,) whole numbers, and (3, pixels) shares, which sum to one for each pixel.
    """
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    right = np.arange(width) - (width - 1) / 2
    up = (height - 1) / 2 - np.arange(height)
    centre = (right[None, :] * cosine + up[:, None] * sine).ravel() + detectors / 2
    reach = (abs(cosine) + abs(sine)) / 2
    first = np.clip(np.floor(centre - reach), 0, detectors - 3).astype(np.int32)
    edges = first + np.arange(4)[:, None] - centre
    shares = np.diff(shadow_shares(edges, cosine, sine), axis=0)
    return first, np.where(shares > ROUNDING, shares, 0)
