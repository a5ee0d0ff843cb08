"""Images under affine maps: how the values between pixels are found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.products import full_einsum
from score_sde.pytree import Pytree
from score_sde.typing import Array, Batch

# Low-pass filter of the symlet with six vanishing moments (Daubechies 1992, table 6.3), orthonormal.
SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
TAPS = len(SYM6)
MARGIN = TAPS // 4  # pixels around the result that its filter reaches

Outside = Callable[[Array, int], tuple[Array, Array | float]]


class Warp(Pytree, ABC):
    """Resampling of images; beyond their borders they go on as mirror images."""

    @abstractmethod
    def __call__(self, x: Batch, inverse: Array) -> Batch:
        """Images (B, H, W, C) such that ``result(u) = x(inverse u)``.

        ``inverse`` (B, 2, 3) takes positions (column, row, 1) in pixels about the centre of the image.
        """


class Bicubic(Warp):
    """Cubic convolution (Keys 1981, a = -1/2): exact at pixels, aliases where it shrinks."""

    def __call__(self, x: Batch, inverse: Array) -> Batch:
        """Sixteen pixels about each position."""
        require_images(x)
        columns, rows = positions(inverse, *x.shape[1:3])
        return jax.vmap(lambda image, r, c: gathered(image, r, c, keys_weights, -1, reflected))(
            x, rows, columns
        )


class Wavelet(Warp):
    """Twice the resolution through an orthonormal wavelet, linear there, and back through the same wavelet.

    The resampling of Karras et al. (2020, "Training GANs with limited data", appendix B.2; 2022, appendix
    F.2): hardly any blur, and no alias where it shrinks by little. Translations by whole pixels are exact.
    The mirror image goes on for one image length, then there are zeros.
    """

    def __call__(self, x: Batch, inverse: Array) -> Batch:
        """Upsample, warp, downsample; the filters are small matrices, since sizes are known."""
        require_images(x)
        height, width = x.shape[1:3]
        up = [jnp.asarray(upsampling(3 * n - 2) @ mirror(n), x.dtype) for n in (height, width)]
        down = [jnp.asarray(downsampling(n), x.dtype) for n in (height, width)]
        fine = full_einsum("rh,bhwc,sw->brsc", up[0], x, up[1])
        columns, rows = positions(doubled(inverse), 2 * (height + 2 * MARGIN), 2 * (width + 2 * MARGIN))
        warped = jax.vmap(lambda image, r, c: gathered(image, r, c, linear_weights, 0, zero))(
            fine, rows, columns
        )
        return full_einsum("hr,brsc,ws->bhwc", down[0], warped, down[1])


def require_images(x: Batch) -> None:
    """Raise InputError unless ``x`` is (B, H, W, C) with two rows and columns at least."""
    if x.ndim != 4 or min(x.shape[1:3]) < 2:
        raise InputError("shape of augmented data", x.shape[1:], "images (height, width, channels)")


def positions(inverse: Array, height: int, width: int) -> tuple[Array, Array]:
    """Where each pixel of an image of this size comes from: columns and rows (B, H, W) about the centre."""
    row = (jnp.arange(height) - (height - 1) / 2)[:, None]
    column = (jnp.arange(width) - (width - 1) / 2)[None, :]
    a = inverse[..., None, None]
    return (
        a[:, 0, 0] * column + a[:, 0, 1] * row + a[:, 0, 2],
        a[:, 1, 0] * column + a[:, 1, 1] * row + a[:, 1, 2],
    )


def doubled(inverse: Array) -> Array:
    """The map between images of twice the resolution, whose pixel n is about position n / 2 + 1/4."""
    linear, shift = inverse[..., :2], inverse[..., 2]
    shift = 2 * shift + 0.5 * linear.sum(axis=-1) - 0.5
    return jnp.concatenate([linear, shift[..., None]], axis=-1)


def gathered(
    image: Array,
    rows: Array,
    columns: Array,
    weights: Callable[[Array], list[Array]],
    first: int,
    outside: Outside,
) -> Array:
    """Weighted sums of the pixels about positions (from the centre) of one image (H, W, C)."""
    height, width, _ = image.shape
    y, x = rows + (height - 1) / 2, columns + (width - 1) / 2
    top, left = jnp.floor(y), jnp.floor(x)
    total = jnp.zeros((*rows.shape, image.shape[-1]), image.dtype)
    for i, row_weight in enumerate(weights(y - top), first):
        r, row_inside = outside(top.astype(int) + i, height)
        for j, column_weight in enumerate(weights(x - left), first):
            c, column_inside = outside(left.astype(int) + j, width)
            weight = row_weight * column_weight * row_inside * column_inside
            total += weight[..., None] * image[r, c]
    return total


def linear_weights(f: Array) -> list[Array]:
    """Of the pixels before and after."""
    return [1 - f, f]


def keys_weights(f: Array) -> list[Array]:
    """Of two pixels before and two after (Keys 1981, equation 15, in powers of the fraction)."""
    return [
        0.5 * (-f + 2 * f**2 - f**3),
        0.5 * (2 - 5 * f**2 + 3 * f**3),
        0.5 * (f + 4 * f**2 - 3 * f**3),
        0.5 * (-(f**2) + f**3),
    ]


def reflected(index: Array, size: int) -> tuple[Array, float]:
    """Indices mirrored at the first and last pixel, without repeating these."""
    return size - 1 - jnp.abs(size - 1 - index % (2 * size - 2)), 1.0


def zero(index: Array, size: int) -> tuple[Array, Array]:
    """Indices within the image, and 0 as the weight of those that were not."""
    return jnp.clip(index, 0, size - 1), ((index >= 0) & (index < size)).astype(float)


def mirror(size: int) -> np.ndarray:
    """(3 size - 2, size): an image row with its mirror images before and after."""
    index = np.arange(1 - size, 2 * size - 1)
    return np.eye(size)[size - 1 - np.abs(size - 1 - index % (2 * size - 2))]


def upsampling(size: int) -> np.ndarray:
    """(2 size, size): the wavelet's synthesis; its transpose is the analysis."""
    n, m = np.arange(2 * size)[:, None], np.arange(size)[None, :]
    tap = n - 2 * m + TAPS // 2 - 1
    return np.where((tap >= 0) & (tap < TAPS), np.asarray(SYM6)[np.clip(tap, 0, TAPS - 1)], 0.0)


def downsampling(size: int) -> np.ndarray:
    """(size, 2 (size + 2 MARGIN)): the wavelet's analysis, without the margins."""
    return upsampling(size + 2 * MARGIN).T[MARGIN:-MARGIN]
