"""Lossy compression by blocks of 8 x 8 pixels."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.inverse.base import Operator
from score_sde.inverse.operators.checks import require_example, require_range, require_shape
from score_sde.inverse.operators.rounding import straight_round
from score_sde.products import full_einsum
from score_sde.pytree import derived, static
from score_sde.typing import Array, Batch

BLOCK = 8
# Luminance, ITU-T T.81 (JPEG), table K.1.
LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def quantization_table(quality: int) -> np.ndarray:
    """Steps of the 8 x 8 coefficients as libjpeg scales table K.1: itself at 50, ones at 100."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((LUMINANCE * scale + 50) // 100, 1, 255)


def cosine_matrix(size: int) -> np.ndarray:
    """The orthonormal discrete cosine transform (type II), frequencies in rows."""
    frequency = np.arange(size).reshape(-1, 1)
    waves = np.cos(np.pi * frequency * (np.arange(size) + 0.5) / size)
    return waves * np.sqrt(np.where(frequency == 0, 1, 2) / size)


class JPEGLike(Operator):
    """What JPEG makes of each channel alone: cosines of 8 x 8 blocks, rounded by the table of luminance.

    A grey JPEG, but that grey levels are not rounded to whole numbers. Colours are not mixed or thinned out
    first. Sides that 8 does not divide are continued by their last pixels, as encoders do. The derivative
    takes the rounding as the identity (straight-through).

    Attributes:
        quality: 1 to 100, as libjpeg counts.
        low: what is black.
        high: what is white, 255.
    """

    quality: int = static(10)
    low: float = -1.0
    high: float = 1.0
    table: Array = derived()
    waves: Array = derived()

    def __post_init__(self) -> None:
        require_shape("JPEGLike", self.shape, least_axes=3)
        require_range("JPEGLike", self.low, self.high)
        if not isinstance(self.quality, int) or not 1 <= self.quality <= 100:
            raise InputError("JPEGLike.quality", self.quality, "a whole number from 1 to 100")
        table = quantization_table(self.quality)
        object.__setattr__(self, "table", jnp.asarray(table, jnp.result_type(float)))
        object.__setattr__(self, "waves", jnp.asarray(cosine_matrix(BLOCK), jnp.result_type(float)))

    def __call__(self, x: Batch) -> Batch:
        """The image that is read back."""
        require_example(self, x)
        height, width = self.shape[:2]
        beyond = ((0, 0), (0, -height % BLOCK), (0, -width % BLOCK), (0, 0))
        levels = 255 * (x - self.low) / (self.high - self.low) - 128
        blocks = jnp.pad(levels, beyond, mode="edge")
        down, across = blocks.shape[1] // BLOCK, blocks.shape[2] // BLOCK
        blocks = blocks.reshape(-1, down, BLOCK, across, BLOCK, self.shape[-1])
        coefficients = self._transform(blocks, self.waves)
        table = self.table[:, None, :, None]
        read = self._transform(straight_round(coefficients / table) * table, self.waves.T)
        read = read.reshape(-1, BLOCK * down, BLOCK * across, self.shape[-1])[:, :height, :width]
        return self.low + (self.high - self.low) * (jnp.clip(read, -128, 127) + 128) / 255

    @staticmethod
    def _transform(blocks: Array, waves: Array) -> Array:
        return full_einsum("ui,vj,nhiwjc->nhuwvc", waves, waves, blocks)
