"""Dividing examples into train, validation and test by a seed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from score_sde.data.base import SPLITS
from score_sde.errors import InputError


def divide(sizes: Mapping[str, int], *, validation: float, test: float, seed: int) -> dict[str, np.ndarray]:
    """Indices of each split into the concatenation of the given parts.

    ``sizes`` names the parts that exist, ``train`` first. A missing validation or test split is taken
    out of the permuted training part as that fraction of it; a split that exists stays as it is.
    """
    fractions = {name: _fraction(name, value) for name, value in (("validation", validation), ("test", test))}
    starts = np.cumsum([0, *sizes.values()])
    parts = {
        name: np.arange(start, start + size)
        for (name, size), start in zip(sizes.items(), starts[:-1], strict=True)
    }
    rest = np.random.default_rng(seed).permutation(parts["train"])
    for name in ("test", "validation"):
        if name not in parts:
            count = round(fractions[name] * sizes["train"])
            parts[name], rest = rest[:count], rest[count:]
    parts["train"] = rest
    if not len(rest):
        raise InputError("train split", 0, "at least one example", "lower the validation and test fractions")
    return {name: parts[name] for name in SPLITS}


def _fraction(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise InputError(f"data.{name}", value, "a fraction of the examples in [0, 1)")
    return value
