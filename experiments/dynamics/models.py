"""Data of a system, and the two models that are learnt of them: of windows, and of the next state."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.dynamics.sizes import Amount
from experiments.dynamics.systems import Part
from score_sde.data import Windows
from score_sde.denoisers import Middle, Preconditioned, Tiled
from score_sde.denoisers.base import Denoiser
from score_sde.dynamics import FromPast, InUnits
from score_sde.networks import Beside
from score_sde.networks.base import initialise
from score_sde.objectives import (
    DenoisingScoreMatching,
    EDMWeighting,
    GivenChannels,
    Objective,
    Stratified,
    UniformLogSNR,
)
from score_sde.samplers import DDIM, AnnealedLangevin, ChurnedHeun, Denoise, DPMSolverPP2M, LogSNR, Sampler
from score_sde.sdes import VP
from score_sde.training.in_memory import train_on
from score_sde.training.progress import Lines
from score_sde.typing import Key

LEARNING_RATE = 2e-3
OBJECTIVE = DenoisingScoreMatching(
    times=UniformLogSNR(low=-8.0, high=9.0, batch=Stratified()), weight=EDMWeighting(sigma_data=1.0)
)
CHUNK = 4096  # windows of a composed trajectory that are evaluated at once


class Learnt(NamedTuple):
    """What is known of a system after training."""

    part: Part
    system: InUnits  # in the units of models
    windows: Denoiser
    following: FromPast
    pool: np.ndarray  # (n, *field), states of the trajectories that were learnt from
    held: np.ndarray  # (n, *field), of those that were not

    @property
    def trajectory(self) -> Denoiser:
        """The model of windows, composed to trajectories."""
        tile = (self.part.window, *self.part.field)
        stride = (1, *self.part.field[:-1])
        return Tiled(
            sde=self.windows.sde, model=self.windows, tile=tile, stride=stride, chunk=CHUNK, weights=Middle()
        )


def simulated(part: Part, amount: Amount, key: Key) -> np.ndarray:
    """Trajectories (n, steps, *field) in the system's units, after ``burn_in`` states."""
    found = part.system.trajectories(key, amount.trajectories, amount.steps, burn_in=amount.burn_in)
    return np.asarray(found).reshape(amount.trajectories, amount.steps, *part.field)


def windows_of(part: Part, trajectories: np.ndarray) -> Windows:
    """The data set of windows."""
    return Windows(trajectories=trajectories, length=part.window, alike=part.alike)


def learn(part: Part, amount: Amount, seed: int) -> Learnt:
    """Simulate and train both models."""
    keys = jax.random.split(jax.random.key(seed), 3)
    raw = simulated(part, amount, keys[0])
    data = windows_of(part, raw)
    units: Any = data.units
    system = InUnits(system=part.system, mean=units.mean, std=units.std, field=part.field)
    rows = _encoded(data)
    windows = _trained(part, amount, rows, part.network, keys[1], "windows")
    following = next_state(part, amount, data, keys[2])
    return Learnt(part, system, windows, following, rows[:, -1], _encoded(data, "test")[:, -1])


def next_state(part: Part, amount: Amount, data: Windows, key: Key) -> FromPast:
    """p(next | last), as a model of the change in units of its own scale."""
    pairs = _encoded(data)[:, :2]
    change, past = pairs[:, 1] - pairs[:, 0], pairs[:, 0]
    axes = (0, *(axis + 1 for axis in part.alike))
    scale = np.std(change, axis=axes, keepdims=True)[0]
    rows = np.concatenate([change / scale, past], axis=-1)
    channels = part.field[-1]
    model = _trained(
        part, amount, rows, _beside(part.following, channels), key, "next state",
        GivenChannels(objective=OBJECTIVE, channels=channels),
    )  # fmt: skip
    return FromPast(known=1, model=model, sampler=sampler(amount.sampler_steps), scale=jnp.asarray(scale))


def sampler(steps: int) -> Sampler:
    """Heun steps with a little noise."""
    return Sampler(
        predictor=ChurnedHeun(N=steps, churn=0.1 * steps),
        grid=LogSNR(sigma_min=0.01, sigma_max=50.0),
        n_steps=steps,
        final=Denoise(),
    )


def quick(steps: int) -> Sampler:
    """One evaluation a step: for many particles, whose next states have narrow laws."""
    return Sampler(
        predictor=DPMSolverPP2M(), grid=LogSNR(sigma_min=0.01, sigma_max=50.0), n_steps=steps, final=Denoise()
    )


def corrected(steps: int) -> Sampler:
    """Steps of DDIM with two Langevin steps at each noise, for trajectories that are composed."""
    return Sampler(
        predictor=DDIM(),
        corrector=AnnealedLangevin(snr=0.5),
        corrector_steps=2,
        grid=LogSNR(sigma_min=0.01, sigma_max=50.0),
        n_steps=steps,
        final=Denoise(),
    )


@functools.cache  # one object for all seeds, so that their networks compile once
def _beside(network: Callable[..., Any], channels: int) -> Callable[..., Any]:
    return functools.partial(Beside, network, channels=channels)


def _encoded(data: Windows, split: str = "train") -> np.ndarray:
    return np.asarray(data.units.encode(jax.random.key(0), data.split(split).arrays()["x"]))


def _trained(
    part: Part,
    amount: Amount,
    rows: np.ndarray,
    network: Callable[..., Any],
    key: Key,
    what: str,
    objective: Objective = OBJECTIVE,
) -> Denoiser:
    """A denoiser of ``rows``, or of their first channels."""
    shape = rows.shape[1:] if objective is OBJECTIVE else (*rows.shape[1:-1], part.field[-1])
    seed = int(jax.random.randint(key, (), 0, 2**31 - 1))
    made = initialise(network, seed=seed, shape=shape)
    model = Preconditioned(network=made, sde=VP(), precondition=part.precondition)
    print(f"{part.name}: {what}, {len(rows)} examples", file=sys.stderr, flush=True)
    return train_on(
        model, objective, rows, key, steps=amount.updates, batch_size=amount.batch_size,
        learning_rate=LEARNING_RATE, seed=seed,
        progress=Lines(amount.updates, 0, sys.stderr, 30.0),
    )  # fmt: skip
