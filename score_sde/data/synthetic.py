"""Made-up images, for trying out a configuration where its data are not at hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from score_sde.data.base import ArraySource, Dataset
from score_sde.dequantization import UniformDequantization, Units
from score_sde.errors import InputError


class Synthetic(Dataset):
    """Slopes of random colour as 8-bit images of any shape, with labels where there are classes.

    What the ``:tiny`` variants of the papers' configurations train on: they need nothing on disk.

    Args:
        shape: shape of an example, channels last.
        n_classes: number of labels 0 .. n_classes - 1; None for none.
        size: examples in the training split; validation and test have a quarter each.
        units: how the integers 0 .. 255 become the model's values; None for uniform dequantisation.
        seed: seed of the draws.
    """

    def __init__(
        self,
        *,
        shape: Sequence[int],
        n_classes: int | None = None,
        size: int = 64,
        units: Units | None = None,
        seed: int = 0,
    ) -> None:
        if size < 4:
            raise InputError("data.size", size, "at least 4 examples", "raise it")
        if n_classes is not None and n_classes < 1:
            raise InputError("data.n_classes", n_classes, "a positive count", "None for data without labels")
        counts = {"train": size, "validation": size // 4, "test": size // 4}
        splits = {}
        for i, (name, count) in enumerate(counts.items()):
            rng = np.random.default_rng((seed, i))
            arrays = {"x": _slopes(rng, count, tuple(shape))}
            if n_classes is not None:
                arrays["label"] = rng.integers(n_classes, size=count).astype(np.int32)
            splits[name] = ArraySource(**arrays)
        units = UniformDequantization(levels=256) if units is None else units
        super().__init__(shape=shape, units=units, splits=splits, n_classes=n_classes)


def _slopes(rng: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
    """255 / 2 (1 + a linear function in [-1, 1]) of the position along each axis but the channels."""
    slopes = np.zeros((count, *shape))
    for axis, length in enumerate(shape[:-1]):
        position = np.linspace(-1, 1, length).reshape(-1, *[1] * (len(shape) - axis - 1))
        weight = rng.uniform(-1, 1, (count, *[1] * (len(shape) - 1), shape[-1]))
        slopes += weight * position / max(len(shape) - 1, 1)
    return np.round(127.5 * (1 + slopes)).astype(np.uint8)
