"""One update as a pure function, and several of them in one dispatch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh

from score_sde.dequantization import Units
from score_sde.objectives.base import Objective
from score_sde.training.ema import EMA
from score_sde.training.sharding import batch_sharding, replicated
from score_sde.training.state import Params, TrainState
from score_sde.typing import Array, Key

Metrics = dict[str, Array]
Batch = dict[str, Array]
Step = Callable[[Key, TrainState, Batch], tuple[TrainState, Metrics]]


def make_step(
    *,
    objective: Objective,
    optimizer: optax.GradientTransformation,
    rebuild: Callable[[Params], Any],
    units: Units,
    ema: EMA,
) -> Step:
    """The pure function (key, state, batch) -> (state, metrics) of one update.

    The batch is ``{"x": raw values, "label": optional condition}``. The randomness of an update (noise
    inside the units, times, noise of the process, dropout) is a function of ``fold_in(key, state.step)``
    only. Metrics: ``loss`` (mean over the batch), ``grad_norm`` (global, before clipping), and ``finite``.
    """

    def loss_of(params: Params, key: Key, batch: Batch) -> Array:
        units_key, objective_key = jax.random.split(key)
        x0 = units.encode(units_key, batch["x"])
        return jnp.mean(objective(objective_key, rebuild(params), x0, batch.get("label")))

    def step(key: Key, state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        key = jax.random.fold_in(key, state.step)
        loss, gradient = jax.value_and_grad(loss_of)(state.params, key, batch)
        updates, opt_state = optimizer.update(gradient, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        count = state.step + 1
        average = ema.update(count, state.ema, params)
        norm = optax.global_norm(gradient)
        metrics = {"loss": loss, "grad_norm": norm, "finite": jnp.isfinite(loss) & jnp.isfinite(norm)}
        return TrainState(step=count, params=params, opt_state=opt_state, ema=average), metrics

    return step


def make_multi_step(step: Step, mesh: Mesh) -> Step:
    """Compile ``step`` over batches stacked along a first axis: one update after the other per dispatch.

    Each leaf of the batches has shape (steps, batch, ...), with the batch divided over the mesh's
    ``data`` axis; the state is replicated and donated. Metrics have one value per update.
    """

    def advance(key: Key, state: TrainState, batches: Batch) -> tuple[TrainState, Metrics]:
        return jax.lax.scan(lambda carry, batch: step(key, carry, batch), state, batches)

    whole = replicated(mesh)
    return jax.jit(
        advance,
        in_shardings=(whole, whole, batch_sharding(mesh)),
        out_shardings=(whole, whole),
        donate_argnums=1,
    )
