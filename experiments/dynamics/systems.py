"""The five systems, what is observed of them, and the networks that learn them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from score_sde.denoisers import EDMPrecondition, LogSNRLabels, Preconditioning
from score_sde.dynamics import KolmogorovFlow, KuramotoSivashinsky, LinearGaussian, Lorenz63, Lorenz96, System
from score_sde.networks import MLP, FramesAsChannels, SongUNet
from score_sde.networks.layers import WrappingConv

LOW = EDMPrecondition(sigma_data=1.0, labels=LogSNRLabels())  # of networks with a label_scale
FIELDS = EDMPrecondition(sigma_data=1.0)  # of EDM's network


class Part(NamedTuple):
    """A system and how it is seen."""

    name: str
    system: System  # in its own units
    field: tuple[int, ...]  # of a state: (numbers,), or of a field (*space, channels)
    alike: tuple[int, ...]  # axes of the field with one mean and standard deviation
    window: int  # states that the model of windows sees
    length: int  # states of a trajectory that is assimilated
    seen: tuple[slice, ...]  # places of a state that are observed
    every: int  # states from observation to observation
    std: float  # of their noise, in units of the system's standard deviation
    leads: int  # states that are forecast
    network: Callable[..., Any]  # of windows
    following: Callable[..., Any]  # of the next state and what is beside it
    precondition: Preconditioning
    unit: str  # of time, from state to state

    @property
    def where(self) -> np.ndarray:
        """Booleans of the field: observed places."""
        mask = np.zeros(self.field, bool)
        mask[self.seen] = True
        return mask

    @property
    def when(self) -> np.ndarray:
        """Booleans (length,): states with an observation; the first and, if it falls so, the last."""
        return np.arange(self.length) % self.every == 0


def rotation(turn: float, shrink: float) -> np.ndarray:
    """A rotation of the plane that shrinks."""
    cos, sin = np.cos(turn), np.sin(turn)
    return shrink * np.array([[cos, -sin], [sin, cos]])


def linear() -> Part:
    """A noisy, damped rotation of the plane in its stationary law, N(0, noise^2 / (1 - shrink^2) I)."""
    shrink, noise = 0.95, 0.3
    law = noise**2 / (1 - shrink**2) * np.eye(2)
    system = LinearGaussian(
        matrix=rotation(0.4, shrink).astype(np.float32), mean=np.zeros(2, np.float32),
        covariance=law.astype(np.float32), noise=noise,
    )  # fmt: skip
    network = functools.partial(MLP.for_shape, width=128, depth=3, label_scale=40.0)
    return Part(
        "linear", system, (2,), (), window=9, length=17, seen=(slice(0, 1),), every=4,
        std=0.3, leads=24, network=network, following=network, precondition=LOW, unit="steps",
    )  # fmt: skip


def lorenz63() -> Part:
    """Two wings in three numbers, the first of which is observed; noise of standard deviation 0.5."""
    network = functools.partial(MLP.for_shape, width=192, depth=3, label_scale=40.0)
    return Part(
        "lorenz63", Lorenz63(dt=0.1, substeps=4, noise=0.5), (3,), (), window=7, length=13,
        seen=(slice(0, 1),), every=3, std=0.1, leads=30, network=network, following=network,
        precondition=LOW, unit="0.1 time units",
    )  # fmt: skip


def lorenz96() -> Part:
    """Waves on a ring of 40 places, every fourth of which is observed; noise of standard deviation 0.5."""
    network = ring(channels=24)
    return Part(
        "lorenz96", Lorenz96(dt=0.1, substeps=4, noise=0.5), (40, 1), (0,), window=5, length=13,
        seen=(slice(None, None, 4),), every=2, std=0.25, leads=20,
        network=functools.partial(FramesAsChannels, network=network), following=network,
        precondition=FIELDS, unit="0.1 time units",
    )  # fmt: skip


def kuramoto_sivashinsky() -> Part:
    """Cells on a ring of length 22, every eighth of 64 places of which is observed; noise of 0.05."""
    network = ring(channels=24)
    return Part(
        "kuramoto-sivashinsky", KuramotoSivashinsky(dt=2.0, substeps=8, noise=0.05), (64, 1), (0,),
        window=5, length=13, seen=(slice(None, None, 8),), every=3, std=0.1, leads=20,
        network=functools.partial(FramesAsChannels, network=network), following=network,
        precondition=FIELDS, unit="2 time units",
    )  # fmt: skip


def kolmogorov() -> Part:
    """Whirls on a 64x64 torus, every eighth place of which is observed along both axes; no noise."""
    network = functools.partial(
        SongUNet, channels=16, multipliers=(1, 2, 2), blocks=1, attention_resolutions=(), dropout=0.0,
        conv=WrappingConv,
    )  # fmt: skip
    return Part(
        "kolmogorov", KolmogorovFlow(dt=0.4, substeps=20), (64, 64, 1), (0, 1), window=3, length=5,
        seen=(slice(None, None, 8), slice(None, None, 8)), every=2, std=0.1, leads=8,
        network=functools.partial(FramesAsChannels, network=network), following=network,
        precondition=FIELDS, unit="0.4 time units",
    )  # fmt: skip


def ring(channels: int) -> Callable[..., Any]:
    """EDM's network with convolutions that go around."""
    return functools.partial(
        SongUNet, channels=channels, multipliers=(1, 2), blocks=1, attention_resolutions=(), dropout=0.0,
        conv=WrappingConv,
    )  # fmt: skip


PARTS: dict[str, Callable[[], Part]] = {
    "linear": linear,
    "lorenz63": lorenz63,
    "lorenz96": lorenz96,
    "kuramoto-sivashinsky": kuramoto_sivashinsky,
    "kolmogorov": kolmogorov,
}
