"""Mirror images."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.training.augmentations.base import Augmentation, no_labels
from score_sde.typing import Array, Batch, Key


class RandomFlip(Augmentation):
    """Left and right (the last axis before the channels) are exchanged, with a probability, without labels.

    For data whose mirror images are as likely: faces, animals and rooms, but not digits
    (``random_flip`` of the original code).
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise InputError("RandomFlip.p", self.p, "a probability")

    @property
    def n_labels(self) -> int:
        """0."""
        return 0

    def __call__(self, key: Key, x: Batch) -> tuple[Batch, Array]:
        """Each example of (B, ..., length, channels) flipped or not."""
        return flipped(x, jax.random.bernoulli(key, self.p, (len(x),)), axis=-2), no_labels(x)


def flipped(x: Batch, which: Array, axis: int) -> Batch:
    """``x`` with those examples flipped along an axis that ``which`` (B,) says."""
    return jnp.where(which.reshape(-1, *[1] * (x.ndim - 1)), jnp.flip(x, axis), x)
