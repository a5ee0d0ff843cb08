"""The original code's PC inpainting."""

from __future__ import annotations

from score_sde.errors import InputError
from score_sde.inverse.base import Measurement
from score_sde.inverse.original.base import Imposition, OriginalMethod
from score_sde.typing import Batch


class OriginalInpainting(OriginalMethod):
    """``get_pc_inpainter`` of Song et al. 2021 (appendix I.2), habits included; ``Replacement`` mends them.

    It begins from clean known pixels among pure noise, puts known pixels in at the time that an update began
    at, and rebuilds the mean from the noised image, so that the returned "denoised" image has the last
    predictor's noise where it was painted. ``sampler`` with ``OriginalGrid``, the predictors and correctors
    of ``samplers.original`` and ``CorrectorFirst`` gives its numbers; ``final`` is KeepMean() for
    ``denoise=True``, KeepSample() otherwise. The measurement is exact: GaussianNoise(std=0), operator Mask.
    """

    def imposition(self, measurement: Measurement) -> Imposition:
        """The known pixels."""
        operator = measurement.operator
        if not hasattr(operator, "indices"):
            found = type(operator).__name__
            raise InputError("OriginalInpainting for operator", found, "a Mask", "use Replacement")
        data = operator.adjoint(measurement.y)
        return KnownPixels(data=data, mask=operator.mask.astype(data.dtype))


class KnownPixels(Imposition):
    """Known values are pixels."""

    def decouple(self, x: Batch) -> Batch:
        """X itself."""
        return x

    def couple(self, z: Batch) -> Batch:
        """Z itself."""
        return z

    def start(self, prior: Batch) -> Batch:
        """data where known, the prior elsewhere."""
        return self.data * self.mask + prior * (1 - self.mask)
