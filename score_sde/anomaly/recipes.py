"""How the detector's own models are made and trained."""

from __future__ import annotations

import functools
from typing import Any, TypeVar

import jax
import numpy as np

from score_sde.anomaly.base import Shape
from score_sde.denoisers import EDMPrecondition, LogSNRLabels, Preconditioned
from score_sde.errors import InputError
from score_sde.networks import MLP, Perceptron
from score_sde.networks.base import initialise
from score_sde.objectives import DenoisingScoreMatching, Objective, Stratified, UniformLogSNR
from score_sde.pytree import Pytree, static
from score_sde.sdes import VP
from score_sde.training.in_memory import train_on
from score_sde.training.progress import Progress
from score_sde.typing import Batch, Key

Model = TypeVar("Model")
OBJECTIVE = DenoisingScoreMatching(times=UniformLogSNR(low=-8.0, high=8.0, batch=Stratified()))


class MLPRecipe(Pytree):
    """Multilayer perceptrons on standardised columns, with EDM's preconditioning on the VP SDE.

    Training times are uniform in log-SNR from -8 to 8: sigma / alpha from 0.018 to 55.

    Attributes:
        width: of hidden layers.
        depth: how many there are.
        dropout: share of hidden values that training leaves out.
        steps: updates.
        batch_size: examples in an update.
        learning_rate: at the start; it falls to 0 by half a cosine.
        progress: is told how far training is; None tells nobody.
    """

    width: int = static(128)
    depth: int = static(3)
    dropout: float = static(0.0)
    steps: int = static(2000)
    batch_size: int = static(128)
    learning_rate: float = static(2e-3)
    progress: Any = static(None)

    def __post_init__(self) -> None:
        for name in ("width", "depth", "steps", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(name, getattr(self, name), "a positive count", "raise it")

    def denoiser(self, key: Key, shape: Shape) -> Any:
        """A fresh denoiser of examples of this shape."""
        make = functools.partial(
            MLP.for_shape, width=self.width, depth=self.depth, dropout=self.dropout, label_scale=40.0
        )
        network = initialise(make, seed=_seed(key), shape=shape)
        return Preconditioned(
            network=network, sde=VP(), precondition=EDMPrecondition(sigma_data=1.0, labels=LogSNRLabels())
        )

    def network(self, key: Key, shape: Shape, outputs: int) -> Any:
        """A fresh network from examples to ``outputs`` numbers."""
        make = functools.partial(
            Perceptron, outputs=outputs, width=self.width, depth=self.depth, dropout=self.dropout
        )
        return initialise(make, seed=_seed(key), shape=shape)

    def train(self, model: Model, x: Batch, key: Key, objective: Objective | None = None) -> Model:
        """The model after training on ``x``."""
        progress: Progress | None = self.progress(self.steps) if self.progress else None
        return train_on(
            model,
            OBJECTIVE if objective is None else objective,
            np.asarray(x),
            key,
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            seed=_seed(key),
            progress=progress,
        )


def _seed(key: Key) -> int:
    return int(np.asarray(jax.random.key_data(key)).ravel()[-1] % (2**31 - 1))
