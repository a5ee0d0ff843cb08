"""What an experiment will cost, before anything is allocated, compiled or read."""

from __future__ import annotations

import json
import math
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.data.base import Dataset
from score_sde.denoisers.base import ScoreModel
from score_sde.evaluation.report import table
from score_sde.experiment.accounting import Flops, GradientCost, bytes_of, count_flops, gradient_cost
from score_sde.experiment.base import Experiment
from score_sde.networks.base import count, initialise, partition
from score_sde.training.state import TrainState, init_state
from score_sde.training.step import make_loss, updated

Abstract = Any  # a pytree of jax.ShapeDtypeStruct


def plan(experiment: Experiment) -> dict[str, Any]:
    """Parameters, operations and memory of a run; prints a table and, last, one line of JSON.

    Everything is traced with shapes only, so this takes seconds also for networks that would not fit.
    ``bytes["activations"]`` is what the backward pass of one step over the whole batch keeps
    (``accounting.gradient_cost``); with several devices each holds its part of it. The data are not read
    where their class knows the shape without.
    """
    network = _network(experiment)
    state = jax.eval_shape(lambda net: _state(experiment, net), network)
    trainable, total = count(network)
    evaluation = _evaluation(experiment, network)
    gradient = _gradient(experiment, network, state.params)
    step = gradient.flops.plus(_update(experiment, state))
    kept = {
        "parameters": bytes_of(state.params),
        "gradients": bytes_of(state.params),
        "optimizer": bytes_of(state.opt_state),
        "ema": bytes_of(state.ema),
        "activations": gradient.saved_bytes,
    }
    summary = {
        "parameters": total,
        "trainable_parameters": trainable,
        "shape": list(experiment.data.shape),
        "batch_size": experiment.training.batch_size,
        "steps": experiment.training.steps,
        "flops_per_evaluation": evaluation.total,
        "matmul_flops_per_evaluation": evaluation.matmul,
        "flops_per_step": step.total,
        "matmul_flops_per_step": step.matmul,
        "bytes": kept | {"total": sum(kept.values())},
    }
    print(_table(summary))
    print(json.dumps(summary), flush=True)
    return summary


def abstract_batch(data: Dataset, size: int) -> dict[str, Abstract]:
    """Shapes of a batch of raw data: ``x``, and ``label`` where there are classes."""
    batch = {"x": jax.ShapeDtypeStruct((size, *data.shape), jnp.float32)}
    if data.n_classes is not None:
        batch["label"] = jax.ShapeDtypeStruct((size,), jnp.int32)
    return batch


def _network(experiment: Experiment) -> Abstract:
    return jax.eval_shape(
        lambda: initialise(experiment.network, seed=experiment.seed, shape=experiment.data.shape)
    )


def _model(experiment: Experiment, network: Any) -> ScoreModel:
    return experiment.model(network=network, sde=experiment.sde)


def _state(experiment: Experiment, network: Any) -> TrainState:
    return init_state(partition(_model(experiment, network))[0], experiment.optimizer, experiment.ema)


def _evaluation(experiment: Experiment, network: Abstract) -> Flops:
    """Of the model on one example: the network, and what turns its output into a score."""

    def evaluate(network: Any, time: Any, batch: Any) -> Any:
        cond = experiment.condition(batch, n_classes=experiment.data.n_classes)
        return _model(experiment, network).score(batch["x"], time, cond)

    time = jax.ShapeDtypeStruct((1,), jnp.float32)
    return count_flops(evaluate, network, time, abstract_batch(experiment.data, 1))


def _gradient(experiment: Experiment, network: Abstract, params: Abstract) -> GradientCost:
    """Of the loss of a whole batch and its gradient."""

    def loss(params: Any, network: Any, key: Any, batch: Any) -> Any:
        loss_of = make_loss(
            objective=experiment.objective,
            rebuild=partition(_model(experiment, network))[1],
            units=experiment.data.units,
            condition=experiment.condition,
            n_classes=experiment.data.n_classes,
            augmentation=experiment.augmentation,
        )
        return loss_of(params, key, batch)

    key = jax.eval_shape(lambda: jax.random.key(0))
    batch = abstract_batch(experiment.data, experiment.training.batch_size)
    return gradient_cost(loss, params, network, key, batch)


def _update(experiment: Experiment, state: Abstract) -> Flops:
    """Of what follows the gradient: optimizer and average."""

    def update(gradient: Any, state: TrainState) -> Any:
        return updated(state, gradient, optimizer=experiment.optimizer, ema=experiment.ema)

    return count_flops(update, state.params, state)


def _table(summary: dict[str, Any]) -> str:
    size, kept = summary["batch_size"], summary["bytes"]
    rows = [
        ("parameters", f"{summary['parameters']:,}", f"{summary['trainable_parameters']:,} are trained"),
        ("example", "x".join(map(str, summary["shape"])), f"{math.prod(summary['shape']):,} values"),
        ("batch", f"{size:,}", f"{summary['steps']:,} steps"),
        ("evaluation", _flops(summary["flops_per_evaluation"]), "of the model, one example"),
        ("training step", _flops(summary["flops_per_step"]), "forward, backward, optimizer, average"),
        *((f"memory: {name}", _bytes(kept[name]), _NOTES[name]) for name in kept),
    ]
    return table(("what", "how much", "note"), rows)


_NOTES = {
    "parameters": "",
    "gradients": "of the size of the parameters",
    "optimizer": "",
    "ema": "",
    "activations": "kept for the backward pass of a whole batch, as JAX asks for it",
    "total": "over all devices; the compiler's own buffers come on top",
}


def _flops(count: float) -> str:
    return _scaled(count, 1000.0, ("FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"))


def _bytes(count: float) -> str:
    return _scaled(count, 1024.0, ("B", "KiB", "MiB", "GiB", "TiB"))


def _scaled(value: float, base: float, units: tuple[str, ...]) -> str:
    power = min(int(math.log(max(value, 1.0), base)), len(units) - 1)
    return f"{value / base**power:.4g} {units[power]}"
