"""Batches of data that do not fit in memory, read ahead by grain's threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from score_sde.data.batches import Batches, Example, Readable
from score_sde.errors import InputError

ENDLESS = 2**62  # examples: epochs follow one another without end


class Positions:
    """The examples that one process trains on, in their order: a data source as grain knows it.

    Position p is the example p % share of this process's share of the batch of step p // share.
    """

    def __init__(self, batches: Batches) -> None:
        self._batches, self._lock = batches, threading.Lock()

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, position: int) -> Example:
        step, place = divmod(int(position), self._batches.share)
        whole = step * self._batches.batch_size + self._batches.mine.start + place
        epoch, offset = divmod(whole, len(self._batches.source))
        with self._lock:  # or every thread would draw the permutation of a new epoch
            order = self._batches.order(epoch)
        return self._batches.source[int(order[offset])]


class StreamedBatches(Batches):
    """The same batches as ``Batches``, bit for bit, but read by threads that are some steps ahead.

    A batch is a function of (seed, step) whatever was read before, so the step in a checkpoint is all that is
    needed of this: grain's iterator over a ``MapDataset`` has one number of state, the next position, which
    is the step times the examples of a step. A run that goes on at step k sets it so, and reads on exactly
    as one that was never stopped.

    Args:
        source: the examples; one is read at a time, by several threads.
        batch_size: examples in one step over all processes.
        seed: seed of the order.
        process_index: this process among ``process_count``; it reads its share of each batch only.
        process_count: number of processes of a multi-host run.
        threads: threads that read; decoding images lets the interpreter run on.
        ahead: steps that are read in advance.
    """

    def __init__(
        self,
        source: Readable,
        batch_size: int,
        *,
        seed: int = 0,
        process_index: int = 0,
        process_count: int = 1,
        threads: int = 16,
        ahead: int = 2,
    ) -> None:
        for name, value in (("threads", threads), ("ahead", ahead)):
            if value < 1:
                raise InputError(name, value, "a positive count")
        super().__init__(
            source, batch_size, seed=seed, process_index=process_index, process_count=process_count
        )
        self._threads, self._ahead = threads, ahead
        self._iterator: Any = None
        self._next = 0

    def __getitem__(self, step: int) -> Example:
        return {name: array[0] for name, array in self.stack(step, 1).items()}

    def stack(self, step: int, count: int) -> Example:
        """The batches of steps ``step .. step + count - 1``; fast where they follow those read before."""
        if self._iterator is None:
            self._iterator = self._reading()
        if step != self._next:
            self._iterator.set_state({"next_index": step * self.share})
        self._next = -1  # until all is read: after an error the place is set again
        examples = [next(self._iterator) for _ in range(count * self.share)]
        self._next = step + count
        return {
            name: np.stack([example[name] for example in examples]).reshape(
                count, self.share, *np.shape(examples[0][name])
            )
            for name in examples[0]
        }

    def _reading(self) -> Any:
        """Grain's iterator, at position 0."""
        import grain  # slow to import: only where it is used

        options = grain.ReadOptions(num_threads=self._threads, prefetch_buffer_size=self._ahead * self.share)
        return iter(grain.MapDataset.source(Positions(self)).to_iter_dataset(options))

    def close(self) -> None:
        """End the threads."""
        if self._iterator is not None:
            self._iterator.close()
            self._iterator, self._next = None, 0
