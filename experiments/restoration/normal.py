"""The second yardstick: the exact posterior if images were of a normal law."""

from __future__ import annotations

import numpy as np

from score_sde.denoisers import Gaussian
from score_sde.sdes import GaussianSDE

NUGGET = 1e-3  # added to every variance, (3 % of white)^2: some pixels of the training images never change


def normal_law(images: np.ndarray, sde: GaussianSDE) -> Gaussian:
    """N(mean, covariance) of images (count, height, width, channels): what the best linear estimate knows."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    covariance = np.cov(flat, rowvar=False) + NUGGET * np.eye(flat.shape[1])
    return Gaussian(
        sde=sde,
        mean=images.mean(axis=0, dtype=np.float64).astype(np.float32),
        covariance=covariance.astype(np.float32),
    )
