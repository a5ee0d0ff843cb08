"""How near a restored image is to the true one."""

from __future__ import annotations

import numpy as np
from skimage.metrics import structural_similarity

from score_sde.errors import InputError

GAUSSIAN_WINDOW = 11  # pixels, standard deviation 1.5 (Wang et al. 2004)
UNIFORM_WINDOW = 7  # for images that are smaller


def psnr(truth: np.ndarray, restored: np.ndarray, *, low: float, high: float) -> float:
    """Peak signal-to-noise ratio 10 log10((high - low)^2 / mean (truth - restored)^2), in dB.

    Both of one shape and in the units of ``low`` (black) and ``high`` (white). Infinite where they are equal.
    """
    _require_alike(truth, restored)
    error = np.mean(np.square(np.asarray(truth, np.float64) - np.asarray(restored, np.float64)))
    with np.errstate(divide="ignore"):
        return float(10 * np.log10((high - low) ** 2 / error))


def ssim(truth: np.ndarray, restored: np.ndarray, *, low: float, high: float) -> float:
    """Mean structural similarity of images (height, width, channels), at most 1 (Wang et al. 2004, eq. 13).

    By scikit-image, with the paper's Gaussian window of 11 pixels; images that are smaller than that get
    uniform windows of 7 pixels.

    Raises:
        InputError: shapes that differ, or images of fewer than 7 pixels a side.
    """
    _require_alike(truth, restored)
    side = min(truth.shape[:2])
    if truth.ndim != 3 or side < UNIFORM_WINDOW:
        expected = f"(height, width, channels) of at least {UNIFORM_WINDOW} pixels a side"
        raise InputError("truth.shape", truth.shape, expected, "use psnr")
    large = side >= GAUSSIAN_WINDOW
    window = (
        {"gaussian_weights": True, "use_sample_covariance": False} if large else {"win_size": UNIFORM_WINDOW}
    )
    value = structural_similarity(
        np.asarray(truth, np.float64),
        np.asarray(restored, np.float64),
        data_range=high - low,
        channel_axis=-1,
        **window,
    )
    return float(value)


def _require_alike(truth: np.ndarray, restored: np.ndarray) -> None:
    if np.shape(truth) != np.shape(restored):
        raise InputError("restored.shape", np.shape(restored), f"the truth's {np.shape(truth)}", "crop one")
