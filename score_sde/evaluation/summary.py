"""What a set of examples is like, gathered batch by batch: counts, ranges, moments, labels, duplicates."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from score_sde.errors import InputError

DIGEST = 16  # bytes: two different examples among 10^9 share one with probability 10^-21


class Summary:
    """Statistics of the examples that were added; raw data units."""

    def __init__(self) -> None:
        self.count, self.duplicates = 0, 0
        self.low, self.high = np.inf, -np.inf
        self.digests: set[bytes] = set()
        self.label_counts = np.zeros(0, np.int64)
        self._values, self._sum, self._squares = 0, np.zeros(1), np.zeros(1)

    def add(self, x: np.ndarray, labels: np.ndarray | None = None) -> None:
        """Examples (B, *event), the last axis being channels, and their labels (B,).

        InputError for values that are not finite.
        """
        if not np.isfinite(x).all():
            where = self.count + int(np.argmin(np.isfinite(x).reshape(len(x), -1).all(axis=1)))
            raise InputError(f"example {where}", "NaN or inf", "finite numbers", "remove it")
        self.count += len(x)
        self.low, self.high = min(self.low, float(x.min())), max(self.high, float(x.max()))
        channels = x.reshape(-1, x.shape[-1]).astype(np.float64)
        self._values += len(channels)
        self._sum = self._sum + channels.sum(axis=0)
        self._squares = self._squares + np.square(channels).sum(axis=0)
        for example in x:
            digest = hashlib.blake2b(np.ascontiguousarray(example).tobytes(), digest_size=DIGEST).digest()
            self.duplicates += digest in self.digests
            self.digests.add(digest)
        if labels is not None:
            self._count_labels(labels)

    def _count_labels(self, labels: np.ndarray) -> None:
        size = max(len(self.label_counts), int(labels.max()) + 1)
        found = np.bincount(labels, minlength=size)
        found[: len(self.label_counts)] += self.label_counts
        self.label_counts = found

    @property
    def mean(self) -> np.ndarray:
        """Mean of each channel."""
        return self._sum / self._values

    @property
    def std(self) -> np.ndarray:
        """Standard deviation of each channel over examples and places."""
        return np.sqrt(np.maximum(self._squares / self._values - self.mean**2, 0))

    def shared(self, other: Summary) -> int:
        """Distinct examples that are also in ``other``."""
        return len(self.digests & other.digests)

    def as_dict(self) -> dict[str, Any]:
        """For a report; ``duplicates`` are examples that equal an earlier one in every value."""
        found = {
            "examples": self.count,
            "min": self.low,
            "max": self.high,
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "duplicates": self.duplicates,
        }
        return found | ({"labels": self.label_counts.tolist()} if len(self.label_counts) else {})
