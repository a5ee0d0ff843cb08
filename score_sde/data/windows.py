"""Windows of trajectories: what models of systems that evolve in time are trained on."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from score_sde.data.arrays import read_arrays
from score_sde.data.base import SPLITS, Dataset, Source
from score_sde.data.batches import Example, Indices
from score_sde.data.splits import divide
from score_sde.dequantization import Units
from score_sde.errors import InputError
from score_sde.typing import Array, Batch, Key


class Standardized(Units):
    """x = (raw - mean) / std.

    Attributes:
        mean, std: numbers, or arrays that go with the last axes of an example.
    """

    mean: Any = 0.0
    std: Any = 1.0

    def __post_init__(self) -> None:
        if not np.all(np.asarray(self.std) > 0):
            raise InputError("Standardized.std", self.std, "positive numbers", "leave out what never changes")

    def encode(self, key: Key, raw: Array) -> Batch:
        """(raw - mean) / std, in float32 or wider."""
        del key
        raw = jnp.asarray(raw)
        return (raw.astype(jnp.promote_types(raw.dtype, jnp.float32)) - self.mean) / self.std

    def decode(self, x: ArrayLike) -> Array:
        """Mean + std x."""
        return self.mean + self.std * jnp.asarray(x)

    def check(self, raw: Array, where: str = "data") -> None:
        """Raise InputError unless all values are finite."""
        bad = int(np.sum(~np.isfinite(np.asarray(raw))))
        if bad:
            raise InputError(where, f"{bad} values not finite", "finite numbers", "leave those out")

    @property
    def log_scale(self) -> float:
        """-log std, on average over what has a std of its own."""
        return float(-np.mean(np.log(np.asarray(self.std))))


class WindowSource(Source):
    """Windows of trajectories (n, steps, *state) by number; nothing is copied before it is asked for.

    Args:
        trajectories: the states.
        places: (windows, 2): trajectory and first step of each.
        length: states of a window.
    """

    def __init__(self, trajectories: np.ndarray, places: np.ndarray, length: int) -> None:
        self._trajectories, self._places, self._length = trajectories, places, length

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Example:
        return {"x": self.batch([index])["x"][0]}

    def batch(self, indices: Indices) -> Example:
        """One gather."""
        which, start = self._places[np.asarray(indices)].T
        return {"x": self._trajectories[which[:, None], start[:, None] + np.arange(self._length)]}


class Windows(Dataset):
    """``length`` neighbouring states, anywhere in trajectories; standardised by the training part.

    Of many trajectories, whole ones are kept for validation and test; of a single one, its end. No state is
    in windows of two splits.

    Args:
        trajectories: (n, steps, *state), or the path of a ``.npy`` or ``.npz`` file (its ``x``).
        length: states of a window.
        stride: from the start of one window to the next.
        alike: axes of a state, counted from 0, whose places have one mean and standard deviation.
        validation: fraction of trajectories, or of the steps of a single one.
        test: likewise.
        seed: of the division.

    Raises:
        InputError: a file that cannot be read; no axis of time; fewer steps than a window has; values that
            are not finite, naming trajectory and step; a state that never changes.
    """

    def __init__(
        self,
        *,
        trajectories: np.ndarray | str | os.PathLike[str],
        length: int,
        stride: int = 1,
        alike: Sequence[int] = (),
        validation: float = 0.1,
        test: float = 0.1,
        seed: int = 0,
    ) -> None:
        states = _states(trajectories)
        _require_steps(states, length, stride)
        split = _by_time if len(states) == 1 else functools.partial(_by_trajectory, seed=seed)
        parts = split(states.shape[:2], length, stride, validation, test)
        units = _units(states, parts["train"], length, tuple(alike))
        splits = {name: WindowSource(states, places, length) for name, places in parts.items()}
        super().__init__(shape=(length, *states.shape[2:]), units=units, splits=splits)


def _states(trajectories: np.ndarray | str | os.PathLike[str]) -> np.ndarray:
    if isinstance(trajectories, str | os.PathLike):
        arrays = read_arrays(os.fspath(trajectories))
        if "x" not in arrays:
            where = f"arrays in {trajectories}"
            raise InputError(where, sorted(arrays), "an array named x", "rename it in numpy.savez")
        trajectories = arrays["x"]
    states = np.asarray(trajectories)
    if states.ndim < 3 or not len(states):
        raise InputError("trajectories.shape", states.shape, "(trajectories, steps, *state)", "add an axis")
    bad = np.argwhere(~np.isfinite(states))
    if len(bad):
        which, step = bad[0][:2]
        raise InputError(f"trajectory {which}, step {step}", float(states[tuple(bad[0])]), "a finite number")
    return states.astype(np.float32)


def _require_steps(states: np.ndarray, length: int, stride: int) -> None:
    if length < 1 or stride < 1:
        name, value = ("length", length) if length < 1 else ("stride", stride)
        raise InputError(f"Windows.{name}", value, "a positive count")
    if states.shape[1] < length:
        expected = f"at least {length}, a window"
        raise InputError("steps of trajectories", states.shape[1], expected, "give longer ones")


def _by_trajectory(
    sizes: tuple[int, int], length: int, stride: int, validation: float, test: float, seed: int
) -> dict[str, np.ndarray]:
    """Trajectory and first step of each window; whole trajectories are held back."""
    count, steps = sizes
    chosen = divide({"train": count}, validation=validation, test=test, seed=seed)
    starts = np.arange(0, steps - length + 1, stride)
    return {name: _pairs(np.sort(which), starts) for name, which in chosen.items()}


def _by_time(
    sizes: tuple[int, int], length: int, stride: int, validation: float, test: float
) -> dict[str, np.ndarray]:
    """The same of one trajectory: first what trains, then validation, then test."""
    steps = sizes[1]
    first, second = round(steps * (1 - validation - test)), round(steps * (1 - test))
    if first < length:
        raise InputError("steps that train", first, f"at least {length}, a window", "hold less back")
    ends = dict(zip(SPLITS, [(0, first), (first, second), (second, steps)], strict=True))
    return {
        name: _pairs(np.array([0]), np.arange(start, stop - length + 1, stride))
        for name, (start, stop) in ends.items()
    }


def _pairs(which: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.stack(np.meshgrid(which, starts, indexing="ij"), axis=-1).reshape(-1, 2)


def _units(states: np.ndarray, places: np.ndarray, length: int, alike: tuple[int, ...]) -> Standardized:
    """By all states of training, each once."""
    seen = np.zeros(states.shape[:2], bool)
    seen[places[:, :1], places[:, 1:] + np.arange(length)] = True
    rows = states[seen].astype(np.float64)
    if any(not 0 <= axis < rows.ndim - 1 for axis in alike):
        expected = f"axes of a state, 0 to {rows.ndim - 2}"
        raise InputError("Windows.alike", alike, expected, "leave out trajectories and steps")
    axes = (0, *(axis + 1 for axis in alike))
    mean, std = (each(rows, axis=axes, keepdims=True)[0] for each in (np.mean, np.std))
    return Standardized(mean=mean.astype(np.float32), std=std.astype(np.float32))
