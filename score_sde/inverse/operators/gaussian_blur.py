"""Blur by a normal density."""

from __future__ import annotations

import numpy as np

from score_sde.inverse.operators.checks import require_number
from score_sde.inverse.operators.resampling import gaussian_kernel, reflected_matrix
from score_sde.inverse.operators.separable import Separable


class GaussianBlur(Separable):
    """Sides blurred by a normal density cut at four standard deviations; edges are mirrors (c b a | a b c).

    That of ``scipy.ndimage.gaussian_filter`` as it stands. ``Convolution`` blurs with edges that are joined.

    Attributes:
        std: in pixels.
    """

    std: float = 1.0

    def matrices(self) -> list[np.ndarray]:
        """One square matrix for each side."""
        require_number("GaussianBlur.std", self.std, 0, strictly=True)
        kernel = gaussian_kernel(float(self.std))
        return [reflected_matrix(size, kernel) for size in self.shape[:-1]]
