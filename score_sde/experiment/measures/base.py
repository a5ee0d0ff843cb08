"""What a measure is: a part of the evaluation that turns a trained model into named numbers."""

from __future__ import annotations

import functools
import pathlib
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from score_sde.data.base import Dataset
from score_sde.denoisers.base import ScoreModel
from score_sde.dequantization import Units
from score_sde.experiment.generation import Drawn
from score_sde.objectives.base import Objective
from score_sde.pytree import Pytree
from score_sde.training.conditions import Condition, Unconditional
from score_sde.typing import Array, Key


class Subject:
    """The trained model under evaluation, its data, and where pictures go."""

    def __init__(
        self,
        *,
        model: ScoreModel,
        data: Dataset,
        objective: Objective,
        draw: Callable[[Key, int], Drawn],
        folder: pathlib.Path,
        seed: int,
        condition: Condition = Unconditional(),  # noqa: B008 - immutable
        report: Callable[[str], None] = print,
    ) -> None:
        self.model, self.data, self.objective, self.condition = model, data, objective, condition
        self.folder, self.report = folder, report
        self._draw, self._seed, self._drawn = draw, seed, Drawn(np.empty(0), None)

    def key(self, purpose: str) -> Key:
        """A key of its own for each purpose, the same at each evaluation."""
        return jax.random.fold_in(jax.random.key(self._seed), zlib.crc32(purpose.encode()))

    def samples(self, n: int) -> np.ndarray:
        """``n`` samples in data units; measures that ask for as many or fewer share them."""
        return self.drawn(n).samples

    def drawn(self, n: int) -> Drawn:
        """The same, with what the model was told of them."""
        if len(self._drawn.samples) < n:
            self._drawn = self._draw(self.key("samples"), n)
        return Drawn(self._drawn.samples[:n], jax.tree.map(lambda told: told[:n], self._drawn.cond))

    def encoded(self, key: Key, batch: dict[str, Array], units: Units | None = None) -> tuple[Array, Any]:
        """A batch of raw data in model space, and what the model is told of it; may be traced.

        ``units`` are those of the data unless others are given.
        """
        x = (units or self.data.units).encode(key, batch["x"])
        return x, self.condition({**batch, "x": x}, n_classes=self.data.n_classes)

    @functools.cached_property
    def splits(self) -> dict[str, dict[str, np.ndarray]]:
        """The whole of train, validation and test as arrays, raw units."""
        return {name: self.data.split(name).arrays() for name in ("train", "validation", "test")}


class Measurement(NamedTuple):
    """Named numbers for results.json, and the table rows (name, value, standard error, note) to print."""

    values: dict[str, Any]
    rows: Sequence[tuple[str, float, float | None, str]]


class Measure(Pytree, ABC):
    """One part of the evaluation."""

    @abstractmethod
    def __call__(self, subject: Subject) -> Measurement:
        """Measure the model."""
