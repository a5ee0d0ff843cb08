"""What an augmentation is: a random change of a batch, and labels that tell the network of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from score_sde.pytree import Pytree
from score_sde.typing import Array, Batch, Key


class Augmentation(Pytree, ABC):
    """Changes of a batch in model space, on the device, within the training step.

    An augmentation whose results should not be learnt as data has labels: the network is told of the change
    (``cond["augment"]``), and samples are drawn under none (Karras et al. 2022, appendix F.2).
    """

    @property
    @abstractmethod
    def n_labels(self) -> int:
        """Numbers of one example's labels: what a network takes as ``augment_dim``."""

    @abstractmethod
    def __call__(self, key: Key, x: Batch) -> tuple[Batch, Array]:
        """A batch (B, *event) changed, and labels (B, n_labels): a function of (key, x)."""


class NoAugmentation(Augmentation):
    """Nothing is changed."""

    @property
    def n_labels(self) -> int:
        """0."""
        return 0

    def __call__(self, key: Key, x: Batch) -> tuple[Batch, Array]:
        """``x``, and labels (B, 0)."""
        del key
        return x, no_labels(x)


def no_labels(x: Batch) -> Array:
    """Labels (B, 0)."""
    return jnp.zeros((len(x), 0), x.dtype)


def told(cond: Any, labels: Array) -> Any:
    """The network's condition ``cond``, with the labels of an augmentation where it has any."""
    if not labels.shape[-1]:
        return cond
    if isinstance(cond, Mapping):
        return {**cond, "augment": labels}
    return {"augment": labels} if cond is None else {"label": cond, "augment": labels}
