"""The noises of the measurements, and how what knows normal noise of one strength serves each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from score_sde.denoise import Anscombe, stabilised
from score_sde.inverse import GaussianNoise, Noise, PoissonGaussianNoise, PoissonNoise

Estimate = Callable[
    [np.ndarray, float], np.ndarray
]  # of noisy values, and the standard deviation of their noise
PEAK = 30  # photons of a white pixel
GAIN = 2 / PEAK  # of one photon, where black is -1 and white 1


class Kind(NamedTuple):
    """A noise of images in [-1, 1]."""

    name: str
    noise: Noise
    transform: Anscombe | None = None  # what makes it like normal noise of one strength

    def serve(self, estimate: Estimate, y: np.ndarray) -> np.ndarray:
        """The estimate for this noise, cut to what an image can be."""
        if self.transform is None:
            found = estimate(y, float(self.noise.std))  # type: ignore[attr-defined]
        else:
            found = stabilised(estimate, y, self.transform, high=1.0)
        return np.clip(np.asarray(found, np.float64), -1, 1)


def normal(levels: int) -> Kind:
    """Normal noise of so many of 255 levels."""
    return Kind(f"sigma {levels}", GaussianNoise(std=2 * levels / 255))


NORMAL = (normal(15), normal(25), normal(50))
PHOTONS = (
    Kind(f"{PEAK} photons", PoissonNoise(peak=PEAK), Anscombe(gain=GAIN, low=-1.0)),
    Kind(
        f"{PEAK} photons, sigma 15",
        PoissonGaussianNoise(peak=PEAK, std=30 / 255),
        Anscombe(gain=GAIN, std=30 / 255, low=-1.0),
    ),
)
