"""One update as a pure function, and several of them in one dispatch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh, NamedSharding

from score_sde.dequantization import Units
from score_sde.errors import InputError
from score_sde.objectives.base import Loss, Objective
from score_sde.training.augmentations.base import Augmentation, NoAugmentation, told
from score_sde.training.conditions import Condition, Unconditional
from score_sde.training.ema import EMA
from score_sde.training.sharding import batch_sharding, replicated
from score_sde.training.state import Params, TrainState
from score_sde.typing import Array, Key

Metrics = dict[str, Array]
Batch = dict[str, Array]
AllMetrics = dict[str, Any]  # one value per update: an array, or a list of scalars
Step = Callable[[Key, TrainState, Batch], tuple[TrainState, Metrics]]
MultiStep = Callable[[Key, TrainState, Batch], tuple[TrainState, AllMetrics]]


def make_loss(
    *,
    objective: Loss,
    rebuild: Callable[[Params], Any],
    units: Units,
    condition: Condition = Unconditional(),  # noqa: B008 - immutable
    n_classes: int | None = None,
    augmentation: Augmentation = NoAugmentation(),  # noqa: B008 - immutable
) -> Callable[[Params, Key, Batch], Array]:
    """The pure function (params, key, batch) -> mean objective of a batch of raw values.

    ``objective`` is an ``Objective`` or what its ``at_update`` gave.
    """

    def loss_of(params: Params, key: Key, batch: Batch) -> Array:
        units_key, objective_key, condition_key, augmentation_key = jax.random.split(key, 4)
        x0, labels = augmentation(augmentation_key, units.encode(units_key, batch["x"]))
        cond = condition({**batch, "x": x0}, n_classes=n_classes, key=condition_key)
        with _named_mode():
            return jnp.mean(objective(objective_key, rebuild(params), x0, told(cond, labels)))

    return loss_of


def make_step(
    *,
    objective: Objective,
    optimizer: optax.GradientTransformation,
    rebuild: Callable[[Params], Any],
    units: Units,
    ema: EMA,
    condition: Condition = Unconditional(),  # noqa: B008 - immutable
    n_classes: int | None = None,
    augmentation: Augmentation = NoAugmentation(),  # noqa: B008 - immutable
) -> Step:
    """The pure function (key, state, batch) -> (state, metrics) of one update.

    The batch is ``{"x": raw values}`` and whatever ``condition`` takes out of it; ``n_classes`` is the
    data's. ``augmentation`` changes x in model space; where it has labels the network is told of them beside
    what ``condition`` says. The randomness of an update (noise inside the units, augmentation, times, noise
    of the process, dropout of the network and of labels) is a function of ``fold_in(key, state.step)`` only.
    The objective is that of ``Objective.at_update``: it may know the step and the averaged model.
    Metrics: ``loss`` (mean
    over the batch), ``grad_norm`` (global, before clipping), and ``finite`` (loss and update).
    """

    def loss_at(state: TrainState) -> Callable[[Params, Key, Batch], Array]:
        average = rebuild(ema.parameters(state.ema, state.params))
        return make_loss(
            objective=objective.at_update(state.step, average),
            rebuild=rebuild,
            units=units,
            condition=condition,
            n_classes=n_classes,
            augmentation=augmentation,
        )

    def step(key: Key, state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        key = jax.random.fold_in(key, state.step)
        loss, gradient = jax.value_and_grad(loss_at(state))(state.params, key, batch)
        state, updates = updated(state, gradient, optimizer=optimizer, ema=ema)
        norm = optax.tree.norm(gradient)
        # An optimizer may mend a gradient: what counts is whether the parameters stay finite.
        finite = jnp.isfinite(loss) & jnp.isfinite(optax.tree.norm(updates))
        metrics = {"loss": loss, "grad_norm": norm, "finite": finite}
        return state, metrics

    return step


@contextlib.contextmanager
def _named_mode() -> Iterator[None]:
    """A network that reverse mode alone differentiates, under an objective with directional derivatives."""
    try:
        yield
    except TypeError as error:
        if "custom_vjp" not in str(error):
            raise
        expected = "one that is differentiated in forward mode too, as the objective asks for"
        remedy = "set network.layers to Scanned(remat=True), which needs little memory as well"
        raise InputError("network", "one with a backward pass of its own", expected, remedy) from error


def updated(
    state: TrainState, gradient: Params, *, optimizer: optax.GradientTransformation, ema: EMA
) -> tuple[TrainState, Params]:
    """What follows a gradient: the state after the steps of optimizer and average, and the update itself."""
    updates, opt_state = optimizer.update(gradient, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    count = state.step + 1
    average = ema.update(count, state.ema, params)
    return TrainState(step=count, params=params, opt_state=opt_state, ema=average), updates


def make_multi_step(step: Step, mesh: Mesh) -> MultiStep:
    """Compile ``step`` over batches stacked along a first axis: one update after the other per call.

    Each leaf of the batches has shape (steps, batch, ...), with the batch divided over the mesh's
    ``data`` axis; the state is replicated and donated. Metrics have one value per update.

    Accelerators get one dispatch with a loop inside. A CPU gets one dispatch per update, which costs it
    nothing: XLA's CPU backend compiles the gradient of a foreign network's convolution inside a loop to
    code that is some hundred times slower (``networks.layers.conv_primitives`` avoids it for ours).
    """
    on_cpu = mesh.devices.flat[0].platform == "cpu"
    return one_by_one(step, mesh) if on_cpu else scanned(step, mesh)


def scanned(step: Step, mesh: Mesh) -> MultiStep:
    """All updates of a call in one dispatch, by ``lax.scan``."""

    def advance(key: Key, state: TrainState, batches: Batch) -> tuple[TrainState, Metrics]:
        return jax.lax.scan(lambda carry, batch: step(key, carry, batch), state, batches)

    return _compiled(advance, mesh)


def one_by_one(step: Step, mesh: Mesh) -> MultiStep:
    """One dispatch per update, all of the same compiled function."""

    def at(key: Key, state: TrainState, batches: Batch, index: Array) -> tuple[TrainState, Metrics]:
        return step(key, state, {name: stacked[index] for name, stacked in batches.items()})

    advance = _compiled(at, mesh, replicated(mesh))

    def multi_step(key: Key, state: TrainState, batches: Batch) -> tuple[TrainState, AllMetrics]:
        metrics = []
        for index in range(len(batches["x"])):
            state, one = advance(key, state, batches, index)
            metrics.append(one)
        return state, {name: [one[name] for one in metrics] for name in metrics[0]}

    return multi_step


def _compiled(advance: Callable[..., Any], mesh: Mesh, *others: NamedSharding) -> Callable[..., Any]:
    whole = replicated(mesh)
    return jax.jit(
        advance,
        in_shardings=(whole, whole, batch_sharding(mesh), *others),
        out_shardings=(whole, whole),
        donate_argnums=1,
    )
