"""Denoising without a model: scikit-image's filters, and BM3D where its package is."""

from __future__ import annotations

import functools
import importlib.util
import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from skimage.restoration import (
    denoise_bilateral,
    denoise_nl_means,
    denoise_tv_chambolle,
    denoise_wavelet,
)

from experiments.denoise.noises import Kind

SHIFTS = 4  # along each axis, that wavelets are averaged over


class Classical(NamedTuple):
    """A filter of one image (height, width, channels) from 0 to 1, and strengths that it is tried with."""

    apply: Callable[[np.ndarray, float, float], np.ndarray]  # of an image, sigma, and the strength
    strengths: tuple[float, ...]

    def estimate(self, strength: float, y: np.ndarray, std: float) -> np.ndarray:
        """Images from -1 to 1, one by one, with noise of ``std`` there."""
        images = [2 * self.apply((image + 1) / 2, std / 2, strength) - 1 for image in np.asarray(y, float)]
        return np.stack([image.reshape(y.shape[1:]) for image in images])

    def tuned(self, kind: Kind, truths: np.ndarray, y: np.ndarray) -> float:
        """The strength with the least squared error on other images."""
        if len(self.strengths) == 1:
            return self.strengths[0]

        def error(strength: float) -> float:
            found = kind.serve(functools.partial(self.estimate, strength), y)
            return float(np.mean((found - truths) ** 2))

        return min(self.strengths, key=error)


def _bilateral(image: np.ndarray, sigma: float, strength: float) -> np.ndarray:
    seen = np.clip(image, 0, 1)
    grey = seen.shape[-1] == 1
    return denoise_bilateral(
        seen[..., 0] if grey else seen,
        win_size=7,
        sigma_color=strength * sigma,
        sigma_spatial=1.5,
        channel_axis=None if grey else -1,
    )


def _total_variation(image: np.ndarray, sigma: float, strength: float) -> np.ndarray:
    return denoise_tv_chambolle(image, weight=strength * sigma, channel_axis=-1)


def _wavelet(image: np.ndarray, sigma: float, strength: float) -> np.ndarray:
    """BayesShrink, averaged over shifts of the image (Coifman and Donoho 1995)."""
    total = np.zeros_like(image)
    for shift in itertools.product(range(SHIFTS), repeat=2):
        moved = np.roll(image, shift, axis=(0, 1))
        found = denoise_wavelet(moved, sigma=strength * sigma, rescale_sigma=False, channel_axis=-1)
        total += np.roll(found, (-shift[0], -shift[1]), axis=(0, 1))
    return total / SHIFTS**2


def _non_local_means(image: np.ndarray, sigma: float, strength: float) -> np.ndarray:
    return denoise_nl_means(
        image,
        patch_size=5,
        patch_distance=8,
        h=strength * sigma,
        sigma=sigma,
        fast_mode=False,
        channel_axis=-1,
    )


def _bm3d(image: np.ndarray, sigma: float, strength: float) -> np.ndarray:
    import bm3d  # optional: its licence allows no commercial use

    found = (
        bm3d.bm3d_rgb(image, strength * sigma) if image.shape[-1] == 3 else bm3d.bm3d(image, strength * sigma)
    )
    return np.asarray(found)


BM3D = "BM3D"
FILTERS = {
    "bilateral": Classical(_bilateral, (1.0, 2.0, 3.0, 4.0)),
    "total variation": Classical(_total_variation, (0.5, 0.75, 1.0, 1.5)),
    "wavelet": Classical(_wavelet, (0.6, 0.8, 1.0, 1.3)),
    "non-local means": Classical(_non_local_means, (0.4, 0.6, 0.8, 1.0)),
    BM3D: Classical(_bm3d, (1.0,)),  # is told the noise
}


def available() -> dict[str, Classical]:
    """The filters that can be run here."""
    there = importlib.util.find_spec("bm3d") is not None
    return {name: each for name, each in FILTERS.items() if name != BM3D or there}
