"""Training a small model on arrays in memory: no files, no checkpoints, a function of its arguments."""

from __future__ import annotations

import functools
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax

from score_sde.dequantization import Continuous
from score_sde.errors import InputError
from score_sde.networks.base import partition
from score_sde.objectives.base import Objective
from score_sde.training.ema import WarmupEMA
from score_sde.training.optimizer import adam
from score_sde.training.progress import Progress, Silent
from score_sde.training.schedules import Cosine
from score_sde.training.state import TrainState, init_state
from score_sde.training.step import make_step
from score_sde.typing import Array, Batch, Key

Model = TypeVar("Model")
CALL = 50  # updates in one dispatch, at most
EMA = WarmupEMA(decay=0.999)


def train_on(
    model: Model,
    objective: Objective,
    x: Batch | np.ndarray,
    key: Key,
    *,
    steps: int,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    seed: int = 0,
    progress: Progress | None = None,
) -> Model:
    """The model with its averaged parameters after ``steps`` updates of Adam on rows of ``x``.

    The rate falls by half a cosine to 0; batches are permutations of the rows, epoch by epoch. Two models
    of the same structure and batches of the same shape compile once.

    Args:
        model: any pytree with flax modules inside, such as ``denoisers.Preconditioned``.
        objective: its loss per example.
        x: (examples, *event) in model space.
        key: for times, noise and dropout.
        steps: updates.
        batch_size: rows in an update.
        learning_rate: at the start.
        seed: of the order of rows.
        progress: told how far it is; None tells nobody.

    Raises:
        InputError: no steps, no rows, or a loss that is not finite.
    """
    for name, value in (("steps", steps), ("batch_size", batch_size)):
        if value < 1:
            raise InputError(name, value, "a positive count", "raise it")
    progress = Silent() if progress is None else progress
    x = np.asarray(x, np.float32)
    order = _order(len(x), steps * batch_size, seed).reshape(steps, batch_size)
    state = _begin(model, learning_rate, steps)
    try:
        for start in range(0, steps, CALL):
            stacked = x[order[start : start + CALL]]
            state, loss = _advance(model, objective, state, stacked, key, learning_rate, steps)
            _require_finite(float(loss), start)
            progress.update(start + len(stacked), float(loss))
    finally:
        progress.close()
    return partition(model)[1](EMA.parameters(state.ema, state.params))


@functools.partial(jax.jit, static_argnums=(1, 2))
def _begin(model: Any, learning_rate: float, steps: int) -> TrainState:
    return init_state(partition(model)[0], _optimizer(learning_rate, steps), EMA)


@functools.partial(jax.jit, static_argnums=(5, 6))
def _advance(
    model: Any,
    objective: Objective,
    state: TrainState,
    batches: Array,
    key: Key,
    learning_rate: float,
    steps: int,
) -> tuple[TrainState, Array]:
    step = make_step(
        objective=objective,
        optimizer=_optimizer(learning_rate, steps),
        rebuild=partition(model)[1],
        units=Continuous(),
        ema=EMA,
    )

    def one(state: TrainState, rows: Array) -> tuple[TrainState, Array]:
        state, metrics = step(key, state, {"x": rows})
        return state, metrics["loss"]

    state, losses = jax.lax.scan(one, state, batches)
    return state, jnp.mean(losses)


def _order(rows: int, count: int, seed: int) -> np.ndarray:
    """``count`` numbers of rows, one permutation after the other."""
    if not rows:
        raise InputError("rows to train on", 0, "at least one example", "give more data")
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(rows) for _ in range(-(-count // rows))])[:count]


def _optimizer(learning_rate: float, steps: int) -> optax.GradientTransformation:
    return adam(learning_rate=learning_rate, schedule=Cosine(steps=steps))


def _require_finite(loss: float, step: int) -> None:
    if not np.isfinite(loss):
        where = f"loss after {step} updates"
        raise InputError(where, loss, "a finite number", "lower the learning rate or scale the data")
