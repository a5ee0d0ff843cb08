"""Sampling from a trained experiment: numbers, a picture, and the reverse process as an animation."""

from __future__ import annotations

import pathlib
from typing import Any

import jax
import numpy as np

from score_sde.experiment.base import Experiment, restore
from score_sde.experiment.generation import conditions, draw
from score_sde.experiment.pictures import picture_process, picture_samples

PROCESS = 16  # samples whose reverse process is shown


def sample(experiment: Experiment, workdir: str | pathlib.Path) -> pathlib.Path:
    """Draw ``experiment.n_samples`` and write ``samples.npz`` and pictures.

    The file has ``samples`` in data units, ``step``, and ``labels`` where the model is told classes.

    Returns the folder. The key depends on the seed only: the same command gives the same samples.

    Raises:
        InputError: no checkpoint, or one that does not fit; a model that draws none.
    """
    folder, sampler = pathlib.Path(workdir) / "sample", experiment.require_sampler()
    restored = restore(experiment, pathlib.Path(workdir))
    print(f"sampling from the checkpoint of step {restored.step}", flush=True)
    key = jax.random.fold_in(jax.random.key(experiment.seed), 3)
    drawn = draw(
        key,
        sampler=sampler,
        model=restored.model,
        data=experiment.data,
        n=experiment.n_samples,
        batch=experiment.sampling_batch,
        condition=experiment.condition,
        report=lambda line: print(line, flush=True),
    )
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {
        name: np.asarray(a) for name, a in experiment.condition.record(drawn.cond).items()
    }
    np.savez_compressed(folder / "samples.npz", samples=drawn.samples, step=restored.step, **told)
    written = ["samples.npz", *picture_samples(folder / "grid.png", drawn.samples, experiment.data)]
    shape = (min(PROCESS, experiment.n_samples), *experiment.data.shape)
    cond = conditions(key, experiment.condition, experiment.data, np.arange(shape[0]))
    times, states = sampler.trajectory(jax.random.fold_in(key, 0), restored.model, shape, cond)
    written += picture_process(folder, np.asarray(times), np.asarray(states), experiment.data)
    print("\n".join(f"wrote {folder / name}" for name in written))
    return folder
