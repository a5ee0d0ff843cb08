"""Bytes of pytrees of shapes."""

from __future__ import annotations

import math
from typing import Any

import jax


def bytes_of(tree: Any) -> int:
    """Bytes of all arrays of a pytree of arrays or ``jax.ShapeDtypeStruct``."""
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
