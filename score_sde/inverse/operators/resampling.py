"""Matrices that blur or shrink one axis of an image."""

from __future__ import annotations

import math

import numpy as np


def mean_matrix(size: int, factor: int) -> np.ndarray:
    """Means of neighbours: (size / factor, size)."""
    return np.kron(np.eye(size // factor), np.full((1, factor), 1 / factor))


def cubic(distance: np.ndarray, a: float = -0.5) -> np.ndarray:
    """Keys' cubic convolution kernel, zero from a distance of 2 on (Keys 1981, whose own has a = -1/2)."""
    d = np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d**2 + 1
    far = ((d - 5) * d + 8) * d * a - 4 * a
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


def bicubic_matrix(size: int, factor: int) -> np.ndarray:
    """Shrinks by the cubic kernel widened ``factor`` times: (size / factor, size), rows of sum one.

    At an edge the kernel is cut and its weights are divided by their sum, as Pillow does.
    """
    centres = (np.arange(size // factor) + 0.5) * factor
    weights = cubic((np.arange(size) + 0.5 - centres[:, None]) / factor)
    return weights / weights.sum(axis=1, keepdims=True)


def gaussian_kernel(std: float, reach: float = 4.0) -> np.ndarray:
    """A normal density at whole numbers as far as ``reach`` standard deviations, of sum one."""
    radius = math.floor(reach * std + 0.5)
    distance = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * np.square(distance / std))
    return weights / weights.sum()


def reflected_matrix(size: int, kernel: np.ndarray) -> np.ndarray:
    """Convolution with an odd kernel, (size, size); edges are mirrors: c b a | a b c."""
    radius = len(kernel) // 2
    places = np.arange(size)[:, None] - np.arange(-radius, radius + 1)
    folded = places % (2 * size)
    folded = np.minimum(folded, 2 * size - 1 - folded)
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.broadcast_to(np.arange(size)[:, None], folded.shape), folded), kernel)
    return matrix
