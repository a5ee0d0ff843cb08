"""What a data set is: an event shape, units, and three named splits that are read by index."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from score_sde.dequantization import Units
from score_sde.errors import InputError

Example = dict[str, Any]
Indices = Sequence[int] | np.ndarray
SPLITS = ("train", "validation", "test")


class Source(ABC):
    """Examples by index: a random-access data source as grain and tensorflow-datasets know it.

    ``source[i]`` is ``{"x": array in data units}`` with a ``"label"`` where there are classes.
    """

    @abstractmethod
    def __len__(self) -> int:
        """Number of examples."""

    @abstractmethod
    def __getitem__(self, index: int) -> Example:
        """One example."""

    def batch(self, indices: Indices) -> Example:
        """The examples at ``indices``, stacked along a first axis; override to read them faster."""
        examples = [self[int(i)] for i in indices]
        return {name: np.stack([example[name] for example in examples]) for name in examples[0]}

    def arrays(self) -> Example:
        """All examples, stacked."""
        return self.batch(np.arange(len(self)))


class ArraySource(Source):
    """Examples held in memory: arrays whose first axis is the example."""

    def __init__(self, **arrays: np.ndarray) -> None:
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self._arrays["x"])

    def __getitem__(self, index: int) -> Example:
        return {name: array[index] for name, array in self._arrays.items()}

    def batch(self, indices: Indices) -> Example:
        """One gather per array: microseconds where stacking single examples takes milliseconds."""
        return {name: array[indices] for name, array in self._arrays.items()}


class Dataset(ABC):
    """A named collection with train, validation and test splits.

    Attributes:
        shape: shape of one example, channels last.
        units: how raw values become the model's values in [-1, 1] and back.
        n_classes: number of labels 0..n_classes-1, or None.
    """

    shape: tuple[int, ...]
    units: Units
    n_classes: int | None

    def __init__(
        self,
        *,
        shape: Sequence[int],
        units: Units,
        splits: Mapping[str, Source],
        n_classes: int | None = None,
    ) -> None:
        self.shape, self.units, self.n_classes = tuple(shape), units, n_classes
        self._splits = dict(splits)

    def split(self, name: str) -> Source:
        """The examples of one split; InputError where there is no such split or it is empty."""
        where = f"split of {type(self).__name__}"
        if name not in self._splits:
            raise InputError(where, name, f"one of {', '.join(self._splits)}")
        source = self._splits[name]
        if not len(source):
            raise InputError(where, name, "at least one example in it", f"give a larger {name} fraction")
        return source
