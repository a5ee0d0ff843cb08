"""Ensembles of what follows, and free runs, by models and by the system itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.dynamics.assimilation import CLIMATE, GAMMA, SMALL
from experiments.dynamics.models import Learnt, corrected
from experiments.dynamics.sizes import Amount
from score_sde.dynamics import Forecaster, FromSystem, Inpainted
from score_sde.inverse import GaussianScore
from score_sde.typing import Key

KNOWN = 2  # states of a window that a forecast by inpainting is told
NEXT, INPAINTED, SYSTEM = "score model, next state", "score model, inpainted windows", "the system itself"


class Forecasts(NamedTuple):
    """Ensembles of several ways from the same origins, in the units of models."""

    truth: np.ndarray  # (origins, leads, *field)
    ensembles: dict[str, np.ndarray]  # (members, origins, leads, *field)


def forecasters(learnt: Learnt, amount: Amount) -> dict[str, Forecaster]:
    """By name; windows are inpainted where states have few values."""
    part = learnt.part
    found: dict[str, Forecaster] = {SYSTEM: FromSystem(known=1, system=learnt.system), NEXT: learnt.following}
    if part.where.size <= SMALL:
        method = GaussianScore(sampler=corrected(amount.method_steps), gamma=GAMMA)  # MMPS diverges: README
        window = (part.window, *part.field)
        found[INPAINTED] = Inpainted(known=KNOWN, model=learnt.windows, method=method, window=window)
    return found


def forecasts(key: Key, learnt: Learnt, amount: Amount) -> Forecasts:
    """From states that nothing was learnt from."""
    part, keys = learnt.part, jax.random.split(key, 4)
    chosen = jax.random.choice(keys[0], len(learnt.held), (amount.origins,), replace=False)
    states = learnt.system.simulate(keys[1], jnp.asarray(learnt.held)[chosen], KNOWN + part.leads)
    past = jnp.tile(states[:, :KNOWN], (amount.ensemble, *[1] * (states.ndim - 1)))
    ensembles = {}
    for number, (name, way) in enumerate(forecasters(learnt, amount).items()):
        found = way.rollout(jax.random.fold_in(keys[2], number), past, part.leads)
        ensembles[name] = np.asarray(found).reshape(amount.ensemble, amount.origins, *found.shape[1:])
    shape = (amount.ensemble, amount.origins, part.leads)
    ensembles[CLIMATE] = learnt.pool[np.asarray(jax.random.choice(keys[3], len(learnt.pool), shape))]
    return Forecasts(np.asarray(states[:, KNOWN:]), ensembles)


def free_runs(key: Key, learnt: Learnt, amount: Amount) -> dict[str, np.ndarray]:
    """Long rollouts (runs, run_steps, *field) of the system, twice, and of the model of the next state."""
    keys = jax.random.split(key, 4)
    ways: dict[str, Any] = {
        SYSTEM: FromSystem(known=1, system=learnt.system),
        NEXT: learnt.following,
        "again": FromSystem(known=1, system=learnt.system),
    }
    found = {}
    for name, way, own in zip(ways, ways.values(), keys, strict=False):
        chosen = jax.random.choice(own, len(learnt.pool), (amount.runs,), replace=False)
        begin = jnp.asarray(learnt.pool)[chosen][:, None]
        found[name] = np.asarray(way.rollout(own, begin, amount.run_steps))
    return found
