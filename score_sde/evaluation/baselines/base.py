"""What a density baseline is, and the ladder that measures all of them in the same way."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np
from threadpoolctl import threadpool_limits

from score_sde.dequantization import UniformDequantization
from score_sde.errors import InputError
from score_sde.evaluation.checks import as_rows, require_same_event
from score_sde.pytree import Pytree, static

LogProb = Callable[[np.ndarray], np.ndarray]  # (N, D) in model space -> nats (N,)
Bits = Callable[[np.ndarray], np.ndarray]  # (N, D) raw integers -> bits per dimension (N,)


class BitsPerDim(NamedTuple):
    """Mean over test examples, its standard error (one draw of examples), and what was chosen."""

    mean: float
    stderr: float
    note: str


class Split(NamedTuple):
    """Raw integers (N, D): what a baseline learns from, and what it chooses by."""

    train: np.ndarray
    validation: np.ndarray


class Dequantized(NamedTuple):
    """Model-space data of a split: the cells' centres and draws of uniform noise inside the cells."""

    centers: np.ndarray  # (N, D): 2 (n + 1/2) / levels - 1
    draws: np.ndarray  # (copies * N, D)
    cell: float  # width 2 / levels: noise variance cell^2 / 12

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the dequantised data: that of the centres plus the noise's, exactly."""
        spread = np.atleast_2d(np.cov(self.centers.T))
        return spread + self.noise_variance * np.eye(len(spread))

    @property
    def noise_variance(self) -> float:
        """Variance of the uniform noise in one dimension."""
        return self.cell**2 / 12


class Baseline(Pytree, ABC):
    """A density model of integer data: learns from train, chooses on validation, never sees test."""

    name: ClassVar[str]

    @abstractmethod
    def fit(self, split: Split, units: UniformDequantization, key: Any) -> tuple[Bits, str]:
        """The code length function, and a note that says what was chosen on validation."""


class ContinuousBaseline(Baseline):
    """A density in model space, paid for through uniform dequantisation.

    bits/dim = E_u[-(log p(y) / D + log(2 / levels))] / log 2 with y = 2 (n + u) / levels - 1, the mean
    over ``draws`` draws of u: the same bound, and from the same key the same noise, for all. Training
    data are repeated with fresh noise until there are ``train_rows`` of them, at most 8 times.
    """

    draws: int = static(4)
    train_rows: int = static(12_000)

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise InputError(f"{type(self).__name__}.draws", self.draws, "at least 1", "raise it")

    @abstractmethod
    def fit_density(self, train: Dequantized, validation: Dequantized) -> tuple[LogProb, str]:
        """Log density in model space and the note."""

    def fit(self, split: Split, units: UniformDequantization, key: Any) -> tuple[Bits, str]:
        """Dequantise both splits, fit the density, and wrap it as a code length."""
        key_train, key_validation, key_test = jax.random.split(key, 3)
        copies = min(8, max(1, self.train_rows // len(split.train)))
        train = _dequantize(units, key_train, split.train, copies)
        validation = _dequantize(units, key_validation, split.validation, self.draws)
        log_prob, note = self.fit_density(train, validation)

        def bits(raw: np.ndarray) -> np.ndarray:
            nats: Any = log_prob(_dequantize(units, key_test, raw, self.draws).draws)
            return np.asarray(units.bits_per_dim(nats, raw.shape[1])).reshape(self.draws, -1).mean(axis=0)

        return bits, note


def ladder(
    baselines: Sequence[Baseline],
    train: np.ndarray,
    validation: np.ndarray,
    test: np.ndarray,
    *,
    levels: int,
    seed: int = 0,
) -> dict[str, BitsPerDim]:
    """Bits per dimension of ``test`` under every baseline, in the order given.

    Raw integers 0..levels-1, (N, *event) each. Made for small images: mixtures and the Gaussian hold
    full D x D covariances. Raises InputError for values that are not such integers, different
    events, or fewer than two examples.
    """
    units = UniformDequantization(levels=levels)
    named = {"train": train, "validation": validation, "test": test}
    rows = {name: _integers(name, values, units) for name, values in named.items()}
    for name, values in named.items():
        require_same_event(name, values, "train", train)
    split, key = Split(rows["train"], rows["validation"]), jax.random.key(seed)
    result: dict[str, BitsPerDim] = {}
    for baseline in baselines:
        if baseline.name in result:
            raise InputError("ladder.baselines", baseline.name, "different names", "drop one of the two")
        # The matrices are small: more threads only wait for one another, for minutes on a busy machine.
        with threadpool_limits(limits=1):
            bits, note = baseline.fit(split, units, key)
            result[baseline.name] = summarize(bits(rows["test"]), note)
    return result


def summarize(bits: np.ndarray, note: str = "") -> BitsPerDim:
    """Mean and standard error std / sqrt(N) of per-example bits per dimension (N,)."""
    return BitsPerDim(float(bits.mean()), float(bits.std(ddof=1) / math.sqrt(len(bits))), note)


def best(candidates: dict[Any, float]) -> Any:
    """The candidate with the lowest score; NaN never wins. Ties go to the first."""
    return min(candidates, key=lambda name: (math.isnan(candidates[name]), candidates[name]))


def _integers(name: str, values: np.ndarray, units: UniformDequantization) -> np.ndarray:
    rows: Any = as_rows(name, values, at_least=2)
    units.check(rows, name)
    return rows.astype(np.int64)


def _dequantize(units: UniformDequantization, key: Any, raw: np.ndarray, copies: int) -> Dequantized:
    cell = 2 / units.levels
    repeated: Any = np.tile(raw, (copies, 1))
    draws = np.asarray(units.encode(key, repeated), dtype=np.float64)
    return Dequantized((raw + 0.5) * cell - 1, draws, cell)
