"""Norms by which the Langevin step is chosen."""

from __future__ import annotations

from abc import ABC, abstractmethod

import jax.numpy as jnp

from score_sde.arrays import norm_per_example
from score_sde.pytree import Pytree
from score_sde.typing import Array, Batch


class Norm(Pytree, ABC):
    """The size of a batch of vectors."""

    @abstractmethod
    def __call__(self, x: Batch) -> Array:
        """One size per example, or one for all."""


class PerExampleNorm(Norm):
    """Each example's own Euclidean norm: a sample does not depend on what it is batched with."""

    def __call__(self, x: Batch) -> Array:
        """(batch,)."""
        return norm_per_example(x)


class BatchMeanNorm(Norm):
    """The mean of the examples' norms over the whole batch: what the original code does."""

    def __call__(self, x: Batch) -> Array:
        """Scalar."""
        return jnp.mean(norm_per_example(x))
