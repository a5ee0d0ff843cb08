"""Sums along parallel rays: computed tomography."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.inverse.base import LinearOperator
from score_sde.inverse.operators.checks import require_shape
from score_sde.inverse.operators.footprints import footprints
from score_sde.pytree import derived
from score_sde.typing import Array, Batch


class RadonTransform(LinearOperator):
    """Line integrals of every channel over parallel rays, (batch, angles, detectors, C), lengths in pixels.

    y(angle, s) = integral of the image over the line x cos(angle) + y sin(angle) = s, with x to the right and
    y upwards from the middle (the geometry of ``skimage.transform.radon``). Pixels are squares and detectors,
    as wide as a pixel and enough for the diagonal, receive what falls on them: each angle's row sums to the
    image's sum. Three numbers are kept for each pixel and angle. ``Dense.of`` decomposes small ones.

    Attributes:
        angles: in degrees, (number of views,).

    Raises:
        InputError: no angle, or one that is not finite.
    """

    angles: Any
    first: Array = derived()  # (angles, pixels)
    shares: Array = derived()  # (angles, 3, pixels)

    def __post_init__(self) -> None:
        require_shape("RadonTransform", self.shape, least_axes=3)
        angles = np.asarray(self.angles, np.float64)
        if angles.ndim != 1 or not angles.size or not np.isfinite(angles).all():
            found = f"an array of shape {angles.shape}"
            raise InputError("RadonTransform.angles", found, "one or more finite angles in degrees, in a row")
        views = [footprints(self.shape[0], self.shape[1], float(angle), self.detectors) for angle in angles]
        first, shares = (np.stack(part) for part in zip(*views, strict=True))
        object.__setattr__(self, "angles", jnp.asarray(angles, jnp.result_type(float)))
        object.__setattr__(self, "first", jnp.asarray(first))
        object.__setattr__(self, "shares", jnp.asarray(shares, jnp.result_type(float)))

    @property
    def detectors(self) -> int:
        """As many as cover the diagonal, three at least; odd where the width is, to stand under columns."""
        least = max(3, math.ceil(math.hypot(*self.shape[:2])))
        return least + (least - self.shape[1]) % 2

    def __call__(self, x: Batch) -> Batch:
        """The sinogram."""
        rays = x.reshape(x.shape[0], -1, x.shape[-1]).swapaxes(0, 1)  # (pixels, batch, C)

        def view(places: tuple[Array, Array]) -> Array:
            first, shares = places
            empty = jnp.zeros((self.detectors, *rays.shape[1:]), jnp.result_type(x, shares))
            for i in range(3):
                empty = empty.at[first + i].add(shares[i, :, None, None] * rays)
            return empty

        return jnp.moveaxis(jax.lax.map(view, (self.first, self.shares)), 2, 0)

    def adjoint(self, y: Batch) -> Batch:
        """Back projection, without a filter."""
        views = jnp.moveaxis(y, 0, 2)  # (angles, detectors, batch, C)

        def add(total: Array, places: tuple[Array, Array, Array]) -> tuple[Array, None]:
            first, shares, row = places
            return total + sum(shares[i, :, None, None] * row[first + i] for i in range(3)), None

        empty = jnp.zeros((math.prod(self.shape[:2]), *views.shape[2:]), jnp.result_type(y, self.shares))
        image, _ = jax.lax.scan(add, empty, (self.first, self.shares, views))
        return image.swapaxes(0, 1).reshape(-1, *self.shape)
