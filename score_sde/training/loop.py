"""The training loop: dispatches, log rows, snapshots, checkpoints, and going on after a kill."""

from __future__ import annotations

import contextlib
import pathlib
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

import jax
import numpy as np
from jax.sharding import Mesh

from score_sde.errors import InputError
from score_sde.training.checkpoint import CheckpointWriter
from score_sde.training.metrics import MetricsLog
from score_sde.training.plan import Plan
from score_sde.training.prefetch import prefetched
from score_sde.training.progress import Progress, Silent, make_progress
from score_sde.training.recorder import FIELDS, Recorder
from score_sde.training.sharding import place_batches, replicate
from score_sde.training.state import TrainState
from score_sde.training.step import Step, make_multi_step
from score_sde.typing import Key

Snapshot = Callable[[int, TrainState], None]


class Batches(Protocol):
    """Training data by step, as ``score_sde.data.Batches``."""

    def stack(self, step: int, count: int) -> dict[str, np.ndarray]:
        """The batches of steps ``step .. step + count - 1``, stacked along a new first axis."""


class Trained(NamedTuple):
    """The state at the end, and seconds of training over all the runs that led to it."""

    state: TrainState
    train_seconds: float


def fit(
    *,
    key: Key,
    state: TrainState,
    step: Step,
    batches: Batches,
    mesh: Mesh,
    plan: Plan,
    checkpoints: CheckpointWriter,
    workdir: str | pathlib.Path,
    on_snapshot: Snapshot = lambda step, state: None,
    progress: Callable[[int, int], Progress] = make_progress,
) -> Trained:
    """Train until ``plan.steps`` updates are made, from the latest checkpoint where there is one.

    The result is a function of the arguments only: a run that was killed and started again ends with the
    same bits (state and ``metrics.csv``) as one that was not. At a step where all are due, the log row is
    written first, then ``on_snapshot(step, state)`` runs, then the checkpoint is saved, so whatever a kill
    leaves undone is done again. ``on_snapshot`` must not keep the state's arrays: they are donated.

    Raises:
        DivergenceError: loss or gradient not finite; names the step and the last good checkpoint.
        InputError: from checkpoints and files.
    """
    began = time.monotonic()
    key, state, earlier = replicate(mesh, key), replicate(mesh, state), 0.0
    if checkpoints.latest() is not None:
        state, record = checkpoints.restore(state)
        earlier = record["train_seconds"]
    start = _start(state, plan)
    advance = make_multi_step(step, mesh)

    def load(at: int) -> dict[str, jax.Array]:
        return place_batches(mesh, batches.stack(at, plan.steps_per_call))

    with contextlib.ExitStack() as stack:
        log, shown = _outputs(stack, workdir, plan, start, progress)
        recorder = Recorder(plan, log, shown, checkpoints.latest)
        loaded = prefetched(load, range(start, plan.steps, plan.steps_per_call))
        stack.callback(loaded.close)
        for at, batch in zip(range(start, plan.steps, plan.steps_per_call), loaded, strict=True):
            state, metrics = advance(key, state, batch)
            done = at + plan.steps_per_call
            recorder.add(done, metrics)
            if plan.snapshot_due(done):
                recorder.drain()
                on_snapshot(done, state)
            if plan.checkpoint_due(done):
                recorder.drain()
                checkpoints.save(state, {"train_seconds": earlier + time.monotonic() - began})
    return Trained(state, earlier + time.monotonic() - began)


def _start(state: TrainState, plan: Plan) -> int:
    """The step to go on from; a run that is longer than planned is told so, and left as it is."""
    start = int(state.step)
    if start > plan.steps:
        expected = f"at least {start}, the updates already made here"
        raise InputError("training.steps", plan.steps, expected, "raise it, or use another --workdir")
    if start == plan.steps:
        print(f"already trained to step {start}; raise training.steps to go on", flush=True)
    return start


def _outputs(
    stack: contextlib.ExitStack,
    workdir: str | pathlib.Path,
    plan: Plan,
    start: int,
    progress: Callable[[int, int], Progress],
) -> tuple[MetricsLog | None, Progress]:
    """The log and the progress display, closed with ``stack``; only the first process has them."""
    if jax.process_index():
        return None, Silent()
    log, shown = MetricsLog(workdir, start, FIELDS), progress(plan.steps, start)
    stack.callback(log.close)
    stack.callback(shown.close)
    return log, shown
