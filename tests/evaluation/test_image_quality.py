"""PSNR and SSIM against their formulas, written out with scipy."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from score_sde.errors import InputError
from score_sde.evaluation.image_quality import psnr, ssim

RNG = np.random.default_rng(0)
TRUTH = RNG.uniform(0, 255, (24, 20, 3))
RESTORED = TRUTH + RNG.normal(0, 12, TRUTH.shape)


def test_psnr_of_a_known_error():
    """An error of a tenth of the range everywhere is 20 dB."""
    assert psnr(np.zeros((4, 4, 1)), np.full((4, 4, 1), 0.2), low=-1, high=1) == pytest.approx(20)
    assert psnr(TRUTH, TRUTH, low=0, high=255) == math.inf


def windowed(image):
    return gaussian_filter(image, 1.5, truncate=3.5, mode="reflect", axes=(0, 1))


def formula(x, y, data_range):
    """Wang et al. 2004, eq. 13, with the paper's constants; the mean leaves out 5 pixels at the edges."""
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean_x, mean_y = windowed(x), windowed(y)
    var_x, var_y = windowed(x * x) - mean_x**2, windowed(y * y) - mean_y**2
    cov = windowed(x * y) - mean_x * mean_y
    top = (2 * mean_x * mean_y + c1) * (2 * cov + c2)
    return (top / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)))[5:-5, 5:-5].mean()


def test_ssim_is_the_papers_formula():
    assert ssim(TRUTH, RESTORED, low=0, high=255) == pytest.approx(formula(TRUTH, RESTORED, 255), rel=1e-6)
    assert ssim(TRUTH, TRUTH, low=0, high=255) == pytest.approx(1)
    twice = ssim(TRUTH, RESTORED, low=-255, high=255)
    assert abs(twice - ssim(TRUTH, RESTORED, low=0, high=255)) > 1e-4  # the range matters


def test_ssim_of_small_images_and_what_is_refused():
    small = RNG.uniform(0, 1, (8, 8, 1))
    assert ssim(small, small, low=0, high=1) == pytest.approx(1)
    with pytest.raises(InputError, match="at least 7 pixels"):
        ssim(small[:5], small[:5], low=0, high=1)
    with pytest.raises(InputError, match="the truth's"):
        psnr(small, small[:5], low=0, high=1)
