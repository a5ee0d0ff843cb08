"""Independent jobs in processes of their own, each on its own core."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from score_sde.errors import InputError

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Job(NamedTuple):
    """What is done, and what it is called. The work is pickled, and leaves its result in a file."""

    name: str
    work: Callable[[], Any]


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_jobs(jobs: Sequence[Job], workers: int) -> None:
    """Do all jobs, in their order, ``workers`` at a time, with a line for each and the time left.

    Raises:
        InputError: a worker that died, most likely for want of memory.
        Exception: whatever a job raised; the others are ended then.
    """
    began = time.monotonic()
    ended = _alone(jobs) if min(workers, len(jobs)) <= 1 else _beside(jobs, min(workers, len(jobs)))
    for count, name in enumerate(ended, start=1):
        left = (time.monotonic() - began) / count * (len(jobs) - count)
        print(f"{count}/{len(jobs)} {name}: {left / 60:.1f} min left", flush=True)


def _alone(jobs: Sequence[Job]) -> Iterator[str]:
    for job in jobs:
        job.work()
        yield job.name


def _beside(jobs: Sequence[Job], workers: int) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")  # JAX does not survive a fork
    taken, ended = context.Value("i", 0), context.Queue()
    processes = [
        context.Process(target=_serve, args=(jobs, taken, ended, number), daemon=True)
        for number in range(workers)
    ]
    with _one_thread_each():
        for process in processes:
            process.start()
    try:
        for _ in jobs:
            number, error = _next(processes, ended)
            if error is not None:
                raise error
            yield jobs[number].name
    finally:
        for process in processes:
            process.terminate()


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """NumPy's products wait for all their threads: one on another worker's core would hold both up."""
    before = dict(os.environ)
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")
    try:
        yield
    finally:
        for name in set(BLAS_THREADS) - set(before):
            del os.environ[name]


def _next(processes: Sequence[Any], ended: Any) -> tuple[int, Exception | None]:
    while True:
        try:
            found: tuple[int, Exception | None] = ended.get(timeout=1)
        except queue.Empty:
            died = [process.exitcode for process in processes if process.exitcode not in (None, 0)]
            if died:
                value = f"a process that ended with {died[0]}"
                raise InputError("--workers", value, "processes that live", "run with fewer") from None
        else:
            return found


def _serve(jobs: Sequence[Job], taken: Any, ended: Any, number: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells, and ends this one
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    if hasattr(os, "sched_setaffinity"):
        mine = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {mine[number % len(mine)]})
    while True:
        with taken.get_lock():
            job = taken.value
            taken.value += 1
        if job >= len(jobs):
            return
        try:
            jobs[job].work()
        except Exception as error:
            ended.put((job, error))
            return
        ended.put((job, None))


def _end_with(parent: int) -> None:
    """A parent that is killed ends nobody; its children would compute on for nobody, maybe for minutes."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
