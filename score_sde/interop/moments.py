"""Adam's running moments of the gradients, beside the parameters of score_sde's checkpoints."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from score_sde.interop.base import Tensors
from score_sde.interop.values import array


class Moments(NamedTuple):
    """Averages of gradients and of their squares by the names of the parameters, after so many updates."""

    first: Tensors
    second: Tensors
    updates: int


def torch_moments(optimizer: Any, tensors: Tensors, parameters: Collection[str]) -> Moments | None:
    """Those in ``optimizer.state_dict()`` of ``torch.optim.Adam``, by position; None where none fit.

    ``parameters`` are the names in the order of ``model.parameters()``. A frozen one has no moments: zeros.
    """
    try:
        positions = optimizer["param_groups"][0]["params"]
        states = [optimizer["state"].get(position) for position in positions]
        pairs = list(zip(parameters, states, strict=True))
        first, second = (
            {n: np.zeros_like(tensors[n]) if s is None else array(s[key]) for n, s in pairs}
            for key in ("exp_avg", "exp_avg_sq")
        )
        updates = max(
            int(array(s["step"]) if hasattr(s["step"], "array") else s["step"]) for s in states if s
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None  # another optimizer, or none: the parameters are no worse for it
    return _fitting(Moments(first, second, updates), tensors)


def flax_moments(optimizer: Any, tensors: Tensors) -> Moments | None:
    """Those in the state of ``flax.optim.Adam``; None if there are none that fit."""
    try:
        state = optimizer["state"]
        found = {name: _node(state["param_states"], name) for name in tensors}
        first = {name: np.asarray(node["grad_ema"]) for name, node in found.items()}
        second = {name: np.asarray(node["grad_sq_ema"]) for name, node in found.items()}
        updates = int(state["step"])
    except (KeyError, TypeError, ValueError):
        return None  # as above
    return _fitting(Moments(first, second, updates), tensors)


def _node(tree: Any, name: str) -> Any:
    """The state of the parameter of this dotted name."""
    node = tree["params"] if set(tree) == {"params"} else tree
    for part in name.split("."):
        node = node[part]
    return node


def _fitting(moments: Moments, tensors: Tensors) -> Moments | None:
    pairs = [*moments.first.items(), *moments.second.items()]
    fits = moments.updates >= 0 and all(value.shape == tensors[name].shape for name, value in pairs)
    return moments if fits else None
