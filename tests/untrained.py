"""A run that an experiment finds finished, with the network as it was drawn.

Compiling an update of a network with convolutions takes half a minute, even of a small one. That
configurations train is shown in tests/configs, and that runs go on in tests/training; an experiment's own
tests need a model.
"""

import dataclasses
import pathlib

import jax.numpy as jnp

from score_sde.config import build, load_config
from score_sde.training import CheckpointWriter

ROOT = pathlib.Path(__file__).parents[1]


def save_untrained(config, run):
    """A checkpoint in ``run`` as after the last update of ``config``, a file of configs/ with a variant."""
    experiment = build(load_config(str(ROOT / "configs" / config)))
    state, _ = experiment.make_state()
    last = dataclasses.replace(state, step=jnp.asarray(experiment.training.steps, state.step.dtype))
    with CheckpointWriter(run / "checkpoints", experiment.identity(state)) as checkpoints:
        checkpoints.save(last, {"train_seconds": 0.0})
