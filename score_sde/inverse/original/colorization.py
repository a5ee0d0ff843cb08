"""The original code's PC colorization."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.inverse.base import Measurement
from score_sde.inverse.original.base import Imposition, OriginalMethod
from score_sde.products import full_matmul
from score_sde.typing import Array, Batch

# Grey first, then two colours, to the digits of the original; orthogonal but for the eighth.
M = np.array(
    [
        [5.7735014e-01, -8.1649649e-01, 4.7008697e-08],
        [5.7735026e-01, 4.0824834e-01, 7.0710671e-01],
        [5.7735026e-01, 4.0824822e-01, -7.0710683e-01],
    ]
)


class OriginalColorization(OriginalMethod):
    """``get_pc_colorizer`` of Song et al. 2021 (appendix I.3), habits included; ``Replacement`` mends them.

    As ``OriginalInpainting`` in the coordinates x M of the channels, of which the first is known. At the
    start the prior's first channel, red, is set to zero instead of its first coordinate. The measurement is
    exact: operator Colorization with three channels, y = sqrt(3) times the grey picture.
    """

    def imposition(self, measurement: Measurement) -> Imposition:
        """The grey picture."""
        operator = measurement.operator
        if not hasattr(operator, "basis") or operator.shape[-1] != 3:
            found = f"{type(operator).__name__} of {operator.shape}"
            expected = "a Colorization of three channels"
            raise InputError("OriginalColorization for operator", found, expected, "use Replacement")
        data = operator.adjoint(measurement.y)
        return KnownGrey(data=data, mask=jnp.array([1, 0, 0], data.dtype))


class KnownGrey(Imposition):
    """Known is the first of three mixtures of the channels."""

    def decouple(self, x: Batch) -> Batch:
        """X M."""
        return _mixed(x, M)

    def couple(self, z: Batch) -> Batch:
        """Z M^-1."""
        return _mixed(z, np.linalg.inv(M))

    def start(self, prior: Batch) -> Batch:
        """The grey data, and the prior without its red."""
        grey = self.decouple(self.data) * self.mask
        return self.couple(grey + self.decouple(prior * (1 - self.mask)))


def _mixed(x: Batch, matrix: np.ndarray) -> Array:
    return full_matmul(x, jnp.asarray(matrix, x.dtype))
