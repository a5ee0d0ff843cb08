"""Published weights as a checkpoint of an experiment, and as a model."""

from __future__ import annotations

import pathlib
from collections.abc import Collection
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax

from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError
from score_sde.experiment.base import Experiment
from score_sde.interop import LAYOUTS, Layout, Weights, load, load_tensors, read_weights
from score_sde.interop.loading import layout_of
from score_sde.networks.base import Params, initialise, partition
from score_sde.training.checkpoint import Checkpoints, CheckpointWriter
from score_sde.training.state import TrainState, init_state

SAID = 400  # letters of what a file says of its network that are printed


def pretrained(
    experiment: Experiment, path: str | pathlib.Path, layouts: Collection[Layout] = LAYOUTS
) -> ScoreModel:
    """The experiment's model with the moving averages of a file of weights: ready for any sampler.

    ``layouts`` are the ways of naming tensors that are tried, besides our own.

    Raises:
        InputError: the file cannot be read, or is not of this network.
    """
    return experiment.model(network=load(path, _network(experiment), layouts), sde=experiment.sde)


def import_weights(
    experiment: Experiment,
    workdir: str | pathlib.Path,
    source: str | pathlib.Path,
    layouts: Collection[Layout] = LAYOUTS,
) -> pathlib.Path:
    """Write the weights in a file as the first checkpoint of a work directory, and return its folder.

    Sampling, evaluation and training then go on from it. Adam's moments come along where the file has them
    and the experiment's optimizer keeps such; any other state of an optimizer starts afresh.

    Raises:
        InputError: the file cannot be read or is not of this network; the work directory has checkpoints.
    """
    folder = pathlib.Path(workdir) / "checkpoints"
    if Checkpoints(folder).steps():
        raise InputError("--workdir", str(workdir), "one without checkpoints", "choose a new directory")
    weights = read_weights(source)
    network = _network(experiment)
    layout = layout_of(weights.tensors, network, str(source), layouts)
    state = imported(experiment, weights, network, layout)
    print(f"read {source}: {layout.title}, {len(weights.tensors)} tensors, step {weights.step}", flush=True)
    if weights.facts:
        said = ", ".join(f"{name}={value!r}" for name, value in weights.facts.items())
        print(f"the file says: {said[:SAID]}", flush=True)
    record = {"train_seconds": 0.0, "imported": {"file": pathlib.Path(source).name, "layout": layout.title}}
    with CheckpointWriter(folder, experiment.identity(state)) as checkpoints:
        checkpoints.save(state, record)
    print(f"wrote {folder / str(weights.step)}: {_contents(weights)}", flush=True)
    return folder / str(weights.step)


def imported(experiment: Experiment, weights: Weights, network: Any, layout: Layout) -> TrainState:
    """The state of training that the weights are of; ``network`` is a fresh one of the experiment's."""

    def params_of(tensors: dict[str, np.ndarray]) -> Params:
        loaded = load_tensors(network, tensors, layout)
        return partition(experiment.model(network=loaded, sde=experiment.sde))[0]

    params, moments = params_of(weights.tensors), weights.moments
    average = params if weights.averages is weights.tensors else params_of(weights.averages)
    state = init_state(params, experiment.optimizer, experiment.ema)
    optimizer = state.opt_state
    if moments is not None and all(optax.tree.get_all_with_path(optimizer, name) for name in ("mu", "nu")):
        count = jnp.asarray(moments.updates, jnp.int32)
        rest = {name: value for name, value in weights.tensors.items() if name not in moments.first}
        mu, nu = (params_of({**rest, **found}) for found in (moments.first, moments.second))
        optimizer = optax.tree.set(optimizer, count=count, mu=mu, nu=nu)
    step = jnp.asarray(weights.step, jnp.int32)
    return state.replace(step=step, opt_state=optimizer, ema=experiment.ema.init(average))


def _network(experiment: Experiment) -> Any:
    return initialise(experiment.network, seed=experiment.seed, shape=experiment.data.shape)


def _contents(weights: Weights) -> str:
    averages = "parameters" if weights.averages is weights.tensors else "parameters and their averages"
    return averages if weights.moments is None else f"{averages}, and Adam's moments"
