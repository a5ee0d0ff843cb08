"""What an anomaly score is: a number for each example, larger for what is less like the training data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol, TypeVar

import jax
import jax.numpy as jnp

from score_sde.arrays import normal_like
from score_sde.errors import InputError
from score_sde.objectives.base import Objective
from score_sde.pytree import Pytree
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Key, PerExample

Model = TypeVar("Model")
Shape = tuple[int, ...]


class Recipe(Protocol):
    """How models are made and trained where none is given."""

    def denoiser(self, key: Key, shape: Shape) -> Any:
        """A fresh denoiser of examples of this shape."""

    def network(self, key: Key, shape: Shape, outputs: int) -> Any:
        """A fresh network from examples to ``outputs`` numbers, (batch, *shape) -> (batch, outputs)."""

    def train(self, model: Model, x: Batch, key: Key, objective: Objective | None = None) -> Model:
        """The model after training on ``x``; without an objective by denoising score matching."""


class AnomalyScore(Pytree, ABC):
    """A function of a model and examples that is larger for anomalies.

    A score of a single example does not depend on its neighbours: where noise is drawn, every example meets
    the same. Statistics of training data are fields that are None until ``fitted`` has filled them, all of
    them arrays, so that they can be stored.
    """

    @abstractmethod
    def __call__(self, model: Any, x: Batch, key: Key) -> PerExample:
        """Scores (batch,) of ``x`` (batch, *event), in the model's space."""

    def fitted(self, model: Any, x: Batch, key: Key) -> Any:
        """This score with what it has to know of the training data ``x``; itself if that is nothing."""
        del model, x, key
        return self

    def prepared(self, recipe: Recipe, key: Key, shape: Shape) -> tuple[Any, Any]:
        """This score and its model, untrained."""
        return self, recipe.denoiser(key, shape)

    def learnt(self, model: Any, recipe: Recipe, x: Batch, key: Key) -> tuple[Any, Any]:
        """Score and model trained on ``x``; the score is yet to be ``fitted``."""
        return self, recipe.train(model, x, key)


def time_of(sde: GaussianSDE, sigma: Array | float) -> Array:
    """The time at which sigma(t) / alpha(t) is ``sigma``, the noise in units of the data."""
    return jnp.clip(sde.time_at_log_snr(-2 * jnp.log(jnp.asarray(sigma))), 0, sde.T)


def shared_noise(key: Key, x: Batch, draws: int) -> Array:
    """Standard normal noise (draws, 1, *event): the same for each example."""
    return jax.vmap(lambda key: normal_like(key, x[:1]))(jax.random.split(key, draws))


def require_fitted(where: str, statistics: Any) -> Any:
    """The statistics of training data, one or several; InputError where there are none yet."""
    if statistics is None or (type(statistics) is tuple and statistics[0] is None):
        raise InputError(
            where, None, "statistics of training data", "take what fitted(model, x, key) returns"
        )
    return statistics
