"""Blur by any kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from score_sde.errors import InputError
from score_sde.inverse.operators.circular import Circular


class Convolution(Circular):
    """Every channel convolved with ``kernel``, over edges that are joined.

    Attributes:
        kernel: (h, w) for images, (l,) for signals; its centre is the value at half its sides, rounded down.

    Raises:
        InputError: a kernel with other axes, larger than the image, or not finite.
    """

    kernel: Any

    def response(self) -> np.ndarray:
        """The kernel, its centre rolled to the first pixel."""
        kernel, sides = np.asarray(self.kernel, np.float64), self.shape[:-1]
        fits = kernel.ndim == len(sides) and all(k <= n for k, n in zip(kernel.shape, sides, strict=True))
        if not fits or not np.isfinite(kernel).all():
            found, expected = f"an array of shape {kernel.shape}", f"finite numbers of at most {sides}"
            raise InputError("Convolution.kernel", found, expected, "cut the kernel, or use larger images")
        padded = np.pad(kernel, [(0, n - k) for k, n in zip(kernel.shape, sides, strict=True)])
        return np.roll(padded, [-(k // 2) for k in kernel.shape], axis=tuple(range(kernel.ndim)))
