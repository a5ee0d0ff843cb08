"""Preparing the next batches while the device works on this one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Index = TypeVar("Index")


def prefetched(
    load: Callable[[Index], Item], indices: Iterable[Index], ahead: int = 2
) -> Generator[Item, None, None]:
    """``load(i)`` for each index in order, up to ``ahead`` of them made in advance by one thread.

    An error in ``load`` is raised where its item would have come. Leaving the loop early ends the thread
    after the item it is at.
    """
    pending: deque[Future[Item]] = deque()
    remaining = iter(indices)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches") as pool:
        try:
            for index in remaining:
                pending.append(pool.submit(load, index))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
