"""Batches as a pure function of (seed, step): nothing about the order needs saving to resume."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from score_sde.errors import InputError

Example = dict[str, Any]
Indices = Sequence[int] | np.ndarray


class Readable(Protocol):
    """Examples by index, as ``score_sde.data.base.Source``."""

    def __len__(self) -> int:
        """Number of examples."""

    def __getitem__(self, index: int) -> Example:
        """One example."""

    def batch(self, indices: Indices) -> Example:
        """The examples at ``indices``, stacked."""


class Batches:
    """``batches[step]``: the step-th training batch, each epoch being a fresh permutation.

    The permutation of an epoch comes from ``default_rng((seed, epoch))``; batches run on across the
    boundary of epochs, so each has ``batch_size`` examples, also where that exceeds the data set.
    Shuffling indices and gathering once per batch costs microseconds; per-example pipelines cost
    milliseconds of the interpreter's time, which a training step on the same cores would feel.

    Args:
        source: the examples.
        batch_size: examples in one step over all processes.
        seed: seed of the order.
        process_index: this process among ``process_count``; it reads its slice of each batch.
        process_count: number of processes of a multi-host run.
    """

    def __init__(
        self,
        source: Readable,
        batch_size: int,
        *,
        seed: int = 0,
        process_index: int = 0,
        process_count: int = 1,
    ) -> None:
        if batch_size < 1 or batch_size % process_count:
            expected = f"a positive multiple of the number of processes, {process_count}"
            raise InputError("training.batch_size", batch_size, expected)
        if seed < 0:
            raise InputError("data.seed", seed, "an integer >= 0")
        if not len(source):
            raise InputError("length of the data source", 0, "at least one example")
        self.source, self.batch_size, self.seed = source, batch_size, seed
        self.share = batch_size // process_count
        self.mine = slice(process_index * self.share, (process_index + 1) * self.share)
        self.order = functools.lru_cache(maxsize=2)(self._permutation)

    def __getitem__(self, step: int) -> Example:
        return self.source.batch(self.indices(step)[self.mine])

    def stack(self, step: int, count: int) -> Example:
        """The batches of steps ``step .. step + count - 1``, stacked along a new first axis."""
        indices = np.stack([self.indices(step + i)[self.mine] for i in range(count)])
        flat = self.source.batch(indices.reshape(-1))
        return {name: array.reshape(*indices.shape, *array.shape[1:]) for name, array in flat.items()}

    def close(self) -> None:
        """Let go of what reads ahead: nothing here."""

    def indices(self, step: int) -> np.ndarray:
        """Which examples the whole batch of ``step`` holds (over all processes)."""
        positions = step * self.batch_size + np.arange(self.batch_size)
        epochs, offsets = np.divmod(positions, len(self.source))
        chosen = np.empty_like(offsets)
        for epoch in range(epochs[0], epochs[-1] + 1):
            here = epochs == epoch
            chosen[here] = self.order(epoch)[offsets[here]]
        return chosen

    def _permutation(self, epoch: int) -> np.ndarray:
        return np.random.default_rng((self.seed, epoch)).permutation(len(self.source))


def in_order(source: Readable, batch_size: int) -> Iterator[Example]:
    """One pass over all examples in their order; the last batch may be shorter."""
    if batch_size < 1:
        raise InputError("batch_size", batch_size, "a positive count")
    for start in range(0, len(source), batch_size):
        yield source.batch(np.arange(start, min(start + batch_size, len(source))))
