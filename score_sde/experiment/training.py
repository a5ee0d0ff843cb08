"""Training an experiment in a work directory."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Callable

import jax

from score_sde.denoisers.base import ScoreModel
from score_sde.experiment.base import Experiment
from score_sde.experiment.generation import draw
from score_sde.experiment.pictures import picture_samples
from score_sde.training.checkpoint import CheckpointWriter
from score_sde.training.loop import Trained, fit
from score_sde.training.sharding import make_mesh
from score_sde.training.state import TrainState

SNAPSHOT = 64  # samples in a snapshot's picture


def train(experiment: Experiment, workdir: str | pathlib.Path) -> Trained:
    """Train to the end of ``experiment.training``, going on from the latest checkpoint if there is one.

    Writes ``checkpoints/``, ``metrics.csv``, ``tensorboard/`` and ``samples/step_*.png``.

    Raises:
        InputError: data, devices, files or an earlier run do not fit; loss not finite.
    """
    workdir, plan = pathlib.Path(workdir), experiment.training
    # First of all, since data that are not there are the likeliest mistake.
    batches = experiment.data.batches(
        "train",
        plan.batch_size,
        seed=experiment.seed,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
    )
    state, rebuild = experiment.make_state()
    step = experiment.make_step(rebuild)
    checkpoints = CheckpointWriter(
        workdir / "checkpoints",
        experiment.identity(state),
        keep_last=plan.keep_last,
        keep_every=plan.keep_every,
    )
    with checkpoints, contextlib.closing(batches):
        return fit(
            key=jax.random.fold_in(jax.random.key(experiment.seed), 1),
            state=state,
            step=step,
            batches=batches,
            mesh=make_mesh(plan.batch_size),
            plan=plan,
            checkpoints=checkpoints,
            workdir=workdir,
            on_snapshot=_snapshots(experiment, rebuild, workdir / "samples"),
        )


def _snapshots(
    experiment: Experiment, rebuild: Callable[..., ScoreModel], folder: pathlib.Path
) -> Callable[[int, TrainState], None]:
    """Draws the same noise at each snapshot, so that pictures differ by the model alone; or nothing."""
    key = jax.random.fold_in(jax.random.key(experiment.seed), 2)
    sampler = experiment.sampler

    def snapshot(step: int, state: TrainState) -> None:
        if jax.process_index() or sampler is None:
            return
        model = rebuild(experiment.ema.parameters(state.ema, state.params))
        size = min(SNAPSHOT, experiment.sampling_batch)
        drawn = draw(
            key,
            sampler=sampler,
            model=model,
            data=experiment.data,
            n=size,
            batch=size,
            condition=experiment.condition,
        )
        picture_samples(folder / f"step_{step:07d}.png", drawn.samples, experiment.data)

    return snapshot
