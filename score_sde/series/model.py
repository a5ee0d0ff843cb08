"""Forecasts and imputations: draws of the hidden values of windows given those seen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.samplers import Denoise, LogSNR, Sampler, UniPC
from score_sde.samplers.base import Sampling
from score_sde.series.normal_law import NormalLaw
from score_sde.series.windows import Windows, by_what_is_seen, told

CHUNK = 1024  # rows that are drawn at once: one compiled program serves any number
SAMPLER = Sampler(predictor=UniPC(), grid=LogSNR(sigma_min=0.02), n_steps=30, final=Denoise())


class Innovations(ABC):
    """The law of innovations given what is told of their windows."""

    @abstractmethod
    def draw(self, seed: int, known: np.ndarray) -> np.ndarray:
        """A draw (n, length) for each row of ``known`` (n, length, channels)."""


class NormalInnovations(Innovations):
    """Independent N(0, 1): the normal law itself."""

    def draw(self, seed: int, known: np.ndarray) -> np.ndarray:
        """Noise."""
        return np.random.default_rng(seed).normal(size=known.shape[:2])


@dataclass(frozen=True)
class LearntInnovations(Innovations):
    """Those of a trained denoiser.

    Attributes:
        denoiser: a ``WhereHidden``.
        sampler: what draws.
    """

    denoiser: Any
    sampler: Sampling = SAMPLER

    def draw(self, seed: int, known: np.ndarray) -> np.ndarray:
        """By the sampler, ``CHUNK`` rows at a time."""
        found = []
        for number, start in enumerate(range(0, len(known), CHUNK)):
            part = known[start : start + CHUNK]
            rest = np.repeat(part[:1], CHUNK - len(part), axis=0)  # to one shape
            cond = {"beside": jnp.asarray(np.concatenate([part, rest]), jnp.float32)}
            key = jax.random.fold_in(jax.random.key(seed), number)
            x = self.sampler(key, self.denoiser, (CHUNK, known.shape[1], 1), cond)
            found.append(np.asarray(x, np.float64)[: len(part), :, 0])
        return np.concatenate(found)


@dataclass(frozen=True)
class SeriesModel:
    """p(hidden values | values seen) of windows of one series.

    Attributes:
        law: the normal law that innovations are of.
        innovations: their law.
    """

    law: NormalLaw
    innovations: Innovations

    def draws(self, seed: int, parts: Windows, seen: np.ndarray, members: int) -> np.ndarray:
        """Windows whose hidden values are drawn, (members, n, length).

        Args:
            seed: of the draws.
            parts: (n, length); NaN is hidden, and what ``seen`` hides is not looked at.
            seen: (length,) or (n, length): True where a value is seen.
            members: draws of each window.
        """
        found = np.empty((members, *parts.values.shape))
        for number, (rows, given) in enumerate(by_what_is_seen(self.law, parts, seen)):
            some = parts[rows]
            known = told(self.law, given, some)
            many = np.broadcast_to(known, (members, *known.shape)).reshape(-1, *known.shape[1:])
            x = self.innovations.draw(seed + 1000003 * number, many)
            x = x.reshape(members, len(rows), -1)[..., ~given.seen]
            found[:, rows] = self.law.placed(given, some.values, some.phases, x)
        return found
