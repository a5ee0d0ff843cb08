"""What a data set is: an event shape, units, and three named splits that are read by index."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from score_sde.data.batches import Batches, Example, Indices
from score_sde.dequantization import Units
from score_sde.errors import InputError

SPLITS = ("train", "validation", "test")


class Source(ABC):
    """Examples by index: a random-access data source as grain and tensorflow-datasets know it.

    ``source[i]`` is ``{"x": array in data units}`` with a ``"label"`` where there are classes.
    ``batches_type`` is how its training batches are best read.
    """

    batches_type: ClassVar[type[Batches]] = Batches

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

    def first(self, count: int | None) -> Source:
        """The first ``count`` examples, or all where there are no more or none is given."""
        return self if count is None or count >= len(self) else Subset(self, np.arange(count))

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


class Subset(Source):
    """Some examples of another source."""

    def __init__(self, source: Source, chosen: np.ndarray) -> None:
        self._source, self._chosen = source, chosen
        self.batches_type = source.batches_type  # type: ignore[misc]  # as the other source's are read

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: int) -> Example:
        return self._source[self._chosen[index]]

    def batch(self, indices: Indices) -> Example:
        """The batch of the other source at the chosen places."""
        return self._source.batch(self._chosen[np.asarray(indices)])


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

    def batches(
        self, name: str, batch_size: int, *, seed: int = 0, process_index: int = 0, process_count: int = 1
    ) -> Batches:
        """Training batches of a split, a function of (seed, step); see ``Batches``."""
        source = self.split(name)
        return source.batches_type(
            source, batch_size, seed=seed, process_index=process_index, process_count=process_count
        )
