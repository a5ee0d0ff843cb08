"""Noise of photons made like normal noise of one strength, and back without bias."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from score_sde.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Anscombe:
    """The generalised transform f(y) = 2 / gain sqrt(gain (y - low) + 3 / 8 gain^2 + std^2).

    For y = low + gain k + std z with counts k ~ Poisson and z ~ N(0, 1), f(y) has nearly the variance 1 from
    a few counts on (Anscombe 1948; Starck et al. 1998).

    Attributes:
        gain: of y for one count.
        std: of the noise that does not depend on brightness.
        low: y without counts.
    """

    gain: float
    std: float = 0.0
    low: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.gain < math.inf:
            raise InputError(
                "Anscombe.gain", self.gain, "a positive number", "noise without counts needs none"
            )
        if not 0 <= self.std < math.inf:
            raise InputError("Anscombe.std", self.std, "a number not below 0")

    def forward(self, y: np.ndarray) -> np.ndarray:
        """f(y), 0 where the root would be of a negative number."""
        inside = self.gain * (np.asarray(y, np.float64) - self.low) + 0.375 * self.gain**2 + self.std**2
        return 2 / self.gain * np.sqrt(np.maximum(inside, 0))

    def inverse(self, f: np.ndarray) -> np.ndarray:
        """The clean value c with E[f(y) | c] = f: not f^-1, which is biased as the root is not linear.

        In closed form, c = gain (f^2 / 4 + sqrt(3 / 2) / (4 f) - 11 / (8 f^2) + 5 sqrt(3 / 2) / (8 f^3)
        - 1 / 8 - (std / gain)^2) + low (Makitalo and Foi 2013); ``low`` where f is less than there.
        """
        f = np.maximum(np.asarray(f, np.float64), 2 * math.sqrt(0.375 + (self.std / self.gain) ** 2))
        root = math.sqrt(1.5)
        counts = f**2 / 4 + root / (4 * f) - 11 / (8 * f**2) + 5 * root / (8 * f**3) - 0.125
        return self.low + self.gain * np.maximum(counts - (self.std / self.gain) ** 2, 0)


def stabilised(
    denoise: Callable[[np.ndarray, float], np.ndarray],
    y: np.ndarray,
    transform: Anscombe,
    *,
    high: float,
    interval: tuple[float, float] = (-1.0, 1.0),
) -> np.ndarray:
    """Counts denoised by what knows normal noise: transformed, put on ``interval``, denoised, brought back.

    Args:
        denoise: an estimate from (noisy values, standard deviation of their noise).
        y: noisy values of any shape, black at ``transform.low`` and white at ``high``.
        transform: of this noise.
        high: what is white.
        interval: what is black and white to ``denoise``.

    Raises:
        InputError: white that is not above black.
    """
    if not transform.low < high < math.inf:
        raise InputError("stabilised.high", high, f"a number above transform.low = {transform.low}")
    ends = transform.forward(np.array([transform.low, high]))
    scale = (interval[1] - interval[0]) / (ends[1] - ends[0])
    values = interval[0] + scale * (transform.forward(y) - ends[0])
    return transform.inverse((np.asarray(denoise(values, scale)) - interval[0]) / scale + ends[0])
