"""Input complexity: what a lossless compressor says of an example, taken off its likelihood."""

from __future__ import annotations

import io
import math
import zlib
from abc import ABC, abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from score_sde.anomaly.base import AnomalyScore
from score_sde.anomaly.likelihood import NegativeLogLikelihood
from score_sde.dequantization import Units
from score_sde.errors import InputError
from score_sde.pytree import Pytree, static
from score_sde.typing import Array, Batch, Key, PerExample


class Compressor(Pytree, ABC):
    """Counts the bytes of a lossless code."""

    @abstractmethod
    def size(self, levels: np.ndarray) -> int:
        """Bytes of one example of 8-bit values."""


class Zlib(Compressor):
    """DEFLATE of the values in their order (RFC 1951)."""

    level: int = static(9)

    def size(self, levels: np.ndarray) -> int:
        """Bytes, with zlib's six of header and checksum."""
        return len(zlib.compress(levels.tobytes(), self.level))


class PNG(Compressor):
    """A PNG file of an image (height, width, 1 or 3), as Serra et al. 2020 use."""

    def size(self, levels: np.ndarray) -> int:
        """Bytes of the file."""
        if levels.ndim != 3 or levels.shape[-1] not in (1, 3):
            expected = "images (height, width, 1 or 3)"
            raise InputError("shape of an example", levels.shape, expected, "use Zlib()")
        buffer = io.BytesIO()
        Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).save(
            buffer, "PNG", optimize=True
        )
        return buffer.tell()


class InputComplexity(AnomalyScore):
    """-log2 p(x) - L(x) in bits, where L is the length of a compressor's code (Serra et al. 2020).

    A likelihood rises with the simplicity of any image; the compressor, a model of all images, takes that
    off. p is the probability of the raw values, as bits per dimension are.

    Attributes:
        likelihood: of the model.
        compressor: Zlib() for anything, PNG() for images.
        units: how raw values become the model's; the compressor sees them in 256 levels of ``interval``.
    """

    likelihood: NegativeLogLikelihood = NegativeLogLikelihood()
    compressor: Compressor = static(Zlib())
    units: Units

    def __call__(self, model: Any, x: Batch, key: Key) -> PerExample:
        """Bits."""
        nats = self.likelihood.log_prob(model, x, key)
        bits = -(nats + x[0].size * self.units.log_scale) / math.log(2)
        return bits - code_length(self.compressor, self.units, x)


def code_length(compressor: Compressor, units: Units, x: Batch) -> PerExample:
    """Bits of the compressor's code of each example: raw levels up to 256 of them, else 256 of the range."""
    low, high = units.interval
    count = min(getattr(units, "levels", 256), 256)

    def lengths(x: Array) -> np.ndarray:
        places = np.floor((np.asarray(x) - low) / (high - low) * count)
        levels = np.clip(places, 0, count - 1).astype(np.uint8)
        return np.array([8 * compressor.size(example) for example in levels], np.float32)

    return jax.pure_callback(lengths, jax.ShapeDtypeStruct(x.shape[:1], jnp.float32), x)
