"""A training run that tests kill and start again: the same call each time, in the same directory."""

import contextlib
import io
from pathlib import Path

import jax
from toy_problem import BATCH, problem

from score_sde.data import TFDS
from score_sde.dequantization import UniformDequantization
from score_sde.training import CheckpointWriter, KarrasAugmentation, Plan, fit, make_mesh
from score_sde.training.progress import Lines

STEPS = 400
FEWER_STEPS = 120


def main(workdir):
    """Train the toy problem to its end; a checkpoint every 20 updates makes saving half of the work."""
    step, state, batches = problem()
    with CheckpointWriter(f"{workdir}/checkpoints", {}, keep_last=2, keep_every=200) as checkpoints:
        fit(
            key=jax.random.key(1),
            state=state,
            step=step,
            batches=batches,
            mesh=make_mesh(BATCH, jax.devices()[:1]),
            plan=Plan(steps=STEPS, steps_per_call=5, log_every=5, checkpoint_every=20, snapshot_every=100),
            checkpoints=checkpoints,
            workdir=workdir,
            on_snapshot=lambda step, state: Path(workdir, f"snapshot_{step}").touch(),
            progress=lambda total, initial: Lines(total, initial, io.StringIO()),
        )


def from_files(workdir, data_dir, memory):
    """The same on digits in array_record files, held in memory or streamed, with an augmentation."""
    data = TFDS(name="digits", data_dir=data_dir, units=UniformDequantization(levels=17), memory=memory)
    step, state, _ = problem(augmentation=KarrasAugmentation(p=0.5))
    batches = data.batches("train", BATCH, seed=7)
    with CheckpointWriter(f"{workdir}/checkpoints", {}) as checkpoints, contextlib.closing(batches):
        fit(
            key=jax.random.key(1),
            state=state,
            step=step,
            batches=batches,
            mesh=make_mesh(BATCH, jax.devices()[:1]),
            plan=Plan(steps=FEWER_STEPS, steps_per_call=5, log_every=5, checkpoint_every=20),
            checkpoints=checkpoints,
            workdir=workdir,
            progress=lambda total, initial: Lines(total, initial, io.StringIO()),
        )
