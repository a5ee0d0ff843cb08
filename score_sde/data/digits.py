"""Scikit-learn's bundled handwritten digits: real data with no download."""

from __future__ import annotations

import numpy as np

from score_sde.data.base import ArraySource, Dataset
from score_sde.dequantization import UniformDequantization

TEST, VALIDATION = 297, 200


class Digits(Dataset):
    """1,797 real 8x8 grey images, integer levels 0..16, ten classes (Alpaydin and Kaynak 1998, UCI).

    ``default_rng(seed).permutation(1797)``: the first 297 are the test split, the next 200 validation,
    the other 1,300 train.
    """

    def __init__(self, *, seed: int = 0) -> None:
        from sklearn.datasets import load_digits  # slow to import: only where it is used

        images, labels = load_digits(return_X_y=True)
        x = images.reshape(-1, 8, 8, 1).astype(np.uint8)
        order = np.random.default_rng(seed).permutation(len(x))
        parts = np.split(order, (TEST, TEST + VALIDATION))
        splits = {
            name: ArraySource(x=x[part], label=labels[part].astype(np.int32))
            for name, part in zip(("test", "validation", "train"), parts, strict=True)
        }
        super().__init__(shape=(8, 8, 1), units=UniformDequantization(levels=17), splits=splits, n_classes=10)
