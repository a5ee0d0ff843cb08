"""Means of blocks of pixels: super-resolution."""

from __future__ import annotations

import numpy as np

from score_sde.inverse.operators.checks import require_factor
from score_sde.inverse.operators.resampling import mean_matrix
from score_sde.inverse.operators.separable import Separable
from score_sde.pytree import static


class AveragePooling(Separable):
    """The mean of every block of factor x factor pixels (of ``factor`` samples of a signal (L, C)).

    All singular values that are not zero are 1 / factor (images) or 1 / sqrt(factor) (signals).

    Attributes:
        factor: by how much each side shrinks.

    Raises:
        InputError: a factor that does not divide the sides.
    """

    factor: int = static(2)

    def matrices(self) -> list[np.ndarray]:
        """Rows of 1 / factor over one block each."""
        require_factor("AveragePooling", self.shape, self.factor)
        return [mean_matrix(size, self.factor) for size in self.shape[:-1]]
