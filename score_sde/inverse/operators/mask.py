"""Some of the pixels: inpainting."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from score_sde.inverse.base import SpectralOperator
from score_sde.inverse.operators.checks import boolean, require_example, require_shape
from score_sde.pytree import derived, static
from score_sde.typing import Array, Batch


class Mask(SpectralOperator):
    """The values of x where ``mask`` is true, in a row: (batch, number of them).

    What is not seen is not measured, so no noise is added there and A A^T = I. ``adjoint`` puts the values
    back into an image of zeros.

    Attributes:
        mask: booleans of ``shape``; axes may be 1 where all are alike, as (H, W, 1) for all channels.
        shape: of one example; the mask's own where it is not given.

    Raises:
        InputError: a mask of another dtype or shape, or one without any value.
    """

    mask: Any
    shape: tuple[int, ...] = static(())
    indices: Array = derived()

    def __post_init__(self) -> None:
        shape = self.shape or np.shape(self.mask)
        require_shape("Mask", shape)
        mask = boolean("Mask", self.mask, shape, "value that is seen")
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "mask", jnp.asarray(mask))
        object.__setattr__(self, "indices", jnp.asarray(np.flatnonzero(mask), jnp.int32))

    def __call__(self, x: Batch) -> Batch:
        """The values that are seen."""
        require_example(self, x)
        return x.reshape(x.shape[0], -1)[:, self.indices]

    def adjoint(self, y: Batch) -> Batch:
        """An image with zeros where nothing is seen."""
        size = self.mask.size
        empty = jnp.zeros((y.shape[0], size), y.dtype)
        filled = empty.at[:, self.indices].set(y, unique_indices=True, indices_are_sorted=True)
        return filled.reshape(-1, *self.shape)

    @property
    def singular_values(self) -> Array:
        """One where a value is seen, zero elsewhere."""
        return self.mask.astype(jnp.result_type(float))

    def to_spectrum(self, x: Batch) -> Batch:
        """X itself: V is the identity."""
        return x

    def from_spectrum(self, z: Batch) -> Batch:
        """Z itself."""
        return z

    def measured_spectrum(self, y: Batch) -> Batch:
        """What is seen, in its place."""
        return self.adjoint(y)
