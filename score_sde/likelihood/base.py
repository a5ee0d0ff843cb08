"""What a likelihood is asked of, and what it answers: nats of each example, with their error and cost."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import jax.numpy as jnp

from score_sde.dequantization import Units
from score_sde.pytree import Pytree
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time


class LogProb(NamedTuple):
    """Log probabilities of a batch, each field (batch,)."""

    nats: PerExample
    stderr: PerExample  # of nats, over what was drawn at random; NaN where a single draw cannot tell
    evaluations: Array  # of the network
    parts: dict[str, PerExample]  # what nats are made of, in nats; empty where they have no parts


class Density(Pytree, ABC):
    """log p(x) of a model at points of its own space, or a lower bound of it.

    Attributes:
        statement: what the number is, in a few words.
    """

    @property
    @abstractmethod
    def statement(self) -> str:
        """What the number is, in a few words; a class attribute serves as well."""

    @abstractmethod
    def __call__(
        self, key: Key, model: Any, x: Batch, cond: Condition = None, *, model_key: Key | None = None
    ) -> LogProb:
        """Nats of each example, (batch,); ``model_key`` is for dropout, in training."""


class Method(Pytree, ABC):
    """log P of raw data under a model, in nats of raw data units: probabilities of integers, where they are.

    Attributes:
        statement: what the number is, in a few words.
    """

    @property
    @abstractmethod
    def statement(self) -> str:
        """What the number is, in a few words."""

    @abstractmethod
    def __call__(
        self,
        key: Key,
        model: Any,
        raw: Array,
        units: Units,
        cond: Condition = None,
        *,
        model_key: Key | None = None,
    ) -> LogProb:
        """Nats of each of ``raw`` (batch, *event), in the units of the data."""


class Placed(NamedTuple):
    """Points of model space in the cells of integers, and log q(x | raw) of each example in nats."""

    x: Batch
    log_prob: PerExample


class Dequantizer(Pytree, ABC):
    """A law q(x | raw) on the cell of each integer."""

    @abstractmethod
    def __call__(self, key: Key, model: Any, raw: Array, units: Units) -> Placed:
        """One draw for each example."""


class Decoder(Pytree, ABC):
    """p(x | z): the data given the least noisy state of the process."""

    @abstractmethod
    def log_prob(self, sde: GaussianSDE, x: Batch, z: Batch, noise: Batch, t: Time) -> PerExample:
        """log p(x | z) in nats, (batch,), at z = x_t; ``noise`` is the model's estimate of the noise in z."""


class Spacing(Pytree, ABC):
    """How numbers that are spread evenly in (0, 1) become times, all in [start, end]."""

    @abstractmethod
    def __call__(self, sde: GaussianSDE, start: Array, end: Array, u: Array) -> tuple[Array, Array]:
        """The times of ``u``, and -d log SNR / du there, which an integral over log-SNR is weighted by."""


def bits_per_dim(nats: Any, dimensions: int) -> Any:
    """-nats / (dimensions log 2), of nats in the units of the data."""
    return -nats / (dimensions * math.log(2))


def standard_error(values: Array) -> PerExample:
    """Of the mean over the first axis of (draws, batch); NaN for a single draw."""
    return jnp.std(values, axis=0, ddof=1) / jnp.sqrt(values.shape[0])
