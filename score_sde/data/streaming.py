"""Batches of data that do not fit in memory, read ahead by grain's threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from score_sde.data.batches import Batches, Example, Readable
from score_sde.errors import InputError

ENDLESS = 2**62  # pieces: epochs follow one another without end
PIECE = 8  # examples at most: enough that handing them over costs less than reading them


class Pieces:
    """The examples that one process trains on, in their order: a data source as grain knows it.

    Each batch is read in pieces of ``size`` examples, a divisor of the process's share; piece p belongs to
    the batch of step p // (share / size). Single examples would cost more to hand over than to read.
    """

    def __init__(self, batches: Batches, size: int) -> None:
        self._batches, self._size, self._lock = batches, size, threading.Lock()

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, piece: int) -> Example:
        step, place = divmod(int(piece) * self._size, self._batches.share)
        start = step * self._batches.batch_size + self._batches.mine.start + place
        examples = [self._batches.source[i] for i in self._indices(start)]
        return {name: np.stack([example[name] for example in examples]) for name in examples[0]}

    def _indices(self, start: int) -> list[int]:
        count = len(self._batches.source)
        with self._lock:  # or every thread would draw the permutation of a new epoch
            places = (divmod(start + i, count) for i in range(self._size))
            return [int(self._batches.order(epoch)[offset]) for epoch, offset in places]


class StreamedBatches(Batches):
    """The same batches as ``Batches``, bit for bit, but read by threads that are some steps ahead.

    A batch is a function of (seed, step) whatever was read before, so the step in a checkpoint is all that is
    needed of this: grain's iterator over a ``MapDataset`` has one number of state, the next piece, which is
    the step times the pieces of a step. A run that goes on at step k sets it so, and reads on exactly as one
    that was never stopped.

    Args:
        source: the examples; each is read by one of several threads.
        batch_size: examples in one step over all processes.
        seed: seed of the order.
        process_index: this process among ``process_count``; it reads its share of each batch only.
        process_count: number of processes of a multi-host run.
        threads: threads that read; decoding images lets the interpreter run on.
        ahead: steps that are read in advance; more where there are threads for it.
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
        self._piece = next(size for size in range(min(PIECE, self.share), 0, -1) if self.share % size == 0)
        self._iterator: Any = None
        self._next = 0

    def __getitem__(self, step: int) -> Example:
        return {name: array[0] for name, array in self.stack(step, 1).items()}

    def stack(self, step: int, count: int) -> Example:
        """The batches of steps ``step .. step + count - 1``; fast where they follow those read before."""
        if self._iterator is None:
            self._iterator = self._reading()
        if step != self._next:
            self._iterator.set_state({"next_index": step * (self.share // self._piece)})
        self._next = -1  # until all is read: after an error the place is set again
        pieces = [next(self._iterator) for _ in range(count * (self.share // self._piece))]
        self._next = step + count
        return {
            name: np.concatenate([piece[name] for piece in pieces]).reshape(
                count, self.share, *pieces[0][name].shape[1:]
            )
            for name in pieces[0]
        }

    def _reading(self) -> Any:
        """Grain's iterator, at position 0."""
        import grain  # slow to import: only where it is used

        waiting = max(self._threads, self._ahead * (self.share // self._piece))
        options = grain.ReadOptions(num_threads=self._threads, prefetch_buffer_size=waiting)
        return iter(grain.MapDataset.source(Pieces(self, self._piece)).to_iter_dataset(options))

    def close(self) -> None:
        """End the threads."""
        if self._iterator is not None:
            self._iterator.close()
            self._iterator, self._next = None, 0
