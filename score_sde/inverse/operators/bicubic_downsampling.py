"""Bicubic shrinking: super-resolution."""

from __future__ import annotations

import numpy as np

from score_sde.inverse.operators.checks import require_factor
from score_sde.inverse.operators.resampling import bicubic_matrix
from score_sde.inverse.operators.separable import Separable
from score_sde.pytree import static


class BicubicDownsampling(Separable):
    """Each side shrunk by the cubic kernel (a = -1/2) widened ``factor`` times, so that nothing aliases.

    What Pillow's ``resize`` by ``Resampling.BICUBIC`` does, but for its rounding. (MATLAB's ``imresize`` has
    the same kernel but mirrors the image at its edges.)

    Attributes:
        factor: by how much each side shrinks.

    Raises:
        InputError: a factor that does not divide the sides.
    """

    factor: int = static(4)

    def matrices(self) -> list[np.ndarray]:
        """Rows of weights of sum one."""
        require_factor("BicubicDownsampling", self.shape, self.factor)
        return [bicubic_matrix(size, self.factor) for size in self.shape[:-1]]
