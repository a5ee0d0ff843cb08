"""What training changes, and nothing else."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax

from score_sde.pytree import Pytree
from score_sde.training.ema import EMA, NoEMA
from score_sde.typing import Array

Params = Any


class TrainState(Pytree):
    """Step count, parameters, optimizer state and averaged parameters.

    No random key: the key of a step is ``fold_in(key, step)``, so a state that was saved and restored
    goes on exactly as it would have.
    """

    step: Array  # int32: updates made so far
    params: Params
    opt_state: Any
    ema: Any  # what the EMA object keeps; see EMA.parameters


def init_state(params: Params, optimizer: optax.GradientTransformation, ema: EMA | None = None) -> TrainState:
    """The state before the first update.

    Every leaf is a copy in a buffer of its own with a strong type: the state may be donated, and the
    first step is traced with the types that all later ones have.
    """
    average = (ema or NoEMA()).init(params)
    state = TrainState(
        step=jnp.zeros((), jnp.int32), params=params, opt_state=optimizer.init(params), ema=average
    )
    return jax.tree.map(lambda leaf: jnp.array(leaf, dtype=jnp.asarray(leaf).dtype, copy=True), state)


def to_dict(state: TrainState) -> dict[str, Any]:
    """The state as nested dictionaries of arrays: parameters by name, optimizer leaves by dotted path.

    What a checkpoint holds; it can be read without this package or the optimizer that wrote it.
    """
    named = {
        "step": state.step,
        "params": state.params,
        "ema": state.ema,
        "opt_state": dict(zip(_paths(state.opt_state), jax.tree.leaves(state.opt_state), strict=True)),
    }
    return {name: value for name, value in named.items() if jax.tree.leaves(value)}


def from_dict(like: TrainState, saved: dict[str, Any]) -> TrainState:
    """Inverse of ``to_dict``; ``like`` has the structure (its leaves are not looked at)."""
    leaves = [saved["opt_state"][path] for path in _paths(like.opt_state)]
    opt_state = jax.tree.unflatten(jax.tree.structure(like.opt_state), leaves)
    ema = saved.get("ema", like.ema)
    return TrainState(step=saved["step"], params=saved["params"], opt_state=opt_state, ema=ema)


def _paths(tree: Any) -> list[str]:
    flat, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in flat]
