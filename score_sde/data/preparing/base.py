"""What a data set is prepared from: pictures that are opened by number, and their labels."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np


class Part(NamedTuple):
    """One split: a Pillow image by number, what each is called, and the labels if there are any."""

    open: Callable[[int], Any]
    names: Sequence[str]
    labels: np.ndarray | None = None


class Originals(NamedTuple):
    """Splits by name, ``train`` among them; the number of classes, and their names if they have any."""

    parts: Mapping[str, Part]
    n_classes: int | None = None
    classes: Sequence[str] | None = None

    def fingerprint(self) -> int:
        """A number that changes with the names, their order and the labels."""
        value = 0
        for split, part in self.parts.items():
            value = zlib.crc32("\n".join([split, *part.names]).encode(), value)
            if part.labels is not None:
                value = zlib.crc32(np.asarray(part.labels, np.int64).tobytes(), value)
        return value
