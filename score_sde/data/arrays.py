"""The user's own arrays in a ``.npy`` or ``.npz`` file."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from score_sde.data.base import SPLITS, ArraySource, Dataset
from score_sde.data.splits import divide
from score_sde.dequantization import Continuous, UniformDequantization, Units
from score_sde.errors import InputError

ALIASES = ("x", "images")


class Arrays(Dataset):
    """Examples along the first axis of an array on disk.

    A ``.npy`` file is one array; a ``.npz`` holds ``x`` (or ``images``), or ``train`` and optionally
    ``validation`` and ``test``. Integer labels go with them as ``labels``, or ``train_labels`` and so on.
    Splits that the file does not have are taken out of the training part by ``seed``.

    Args:
        path: the file.
        levels: integer levels 0..levels-1 of the values; None for real values.
        low: real value that becomes -1, below which there may be none; None for the smallest in the file.
        high: real value that becomes 1, above which there may be none; None for the largest in the file.
        shape: event shape that examples are reshaped to, e.g. ``(28, 28, 1)``; None for the file's own.
        validation: fraction taken for validation where the file has no such split.
        test: fraction taken for test where the file has no such split.
        seed: seed of the division.

    Raises:
        InputError: file missing or unreadable, non-finite values, values outside the levels or range,
            shapes or labels that do not fit.
    """

    def __init__(
        self,
        *,
        path: str,
        levels: int | None = None,
        low: float | None = None,
        high: float | None = None,
        shape: Sequence[int] | None = None,
        validation: float = 0.1,
        test: float = 0.1,
        seed: int = 0,
    ) -> None:
        parts, labels = _by_split(path, read_arrays(path))
        x = _joined(path, [_shaped(path, name, part, shape) for name, part in parts.items()])
        sizes = {name: len(part) for name, part in parts.items()}
        indices = divide(sizes, validation=validation, test=test, seed=seed)
        units = _units(path, x, levels, low, high)
        arrays, n_classes = _with_labels(path, _compact(x, levels), labels)
        splits = {
            name: ArraySource(**{key: value[part] for key, value in arrays.items()})
            for name, part in indices.items()
        }
        super().__init__(shape=x.shape[1:], units=units, splits=splits, n_classes=n_classes)


def read_arrays(path: str) -> dict[str, np.ndarray]:
    """All arrays of a ``.npy`` (as ``x``) or ``.npz`` file; InputError where it cannot be read."""
    if not pathlib.Path(path).is_file():
        raise InputError("data.path", path, "a .npy or .npz file", "check the spelling of the path")
    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            return {"x": loaded} if isinstance(loaded, np.ndarray) else dict(loaded.items())
    except Exception as error:  # numpy and zipfile raise a dozen kinds for a damaged file
        remedy = f"write it again with numpy.savez ({type(error).__name__}: {error})"
        raise InputError("data.path", path, "a readable .npy or .npz file of numbers", remedy) from error


def _by_split(path: str, arrays: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """The parts in the order train, validation, test, and their labels (all or none)."""
    for alias in ALIASES:
        if alias in arrays:
            return {"train": arrays[alias]}, [arrays["labels"]] if "labels" in arrays else []
    if "train" not in arrays:
        expected = "an array named x, images or train"
        raise InputError(f"arrays in {path}", sorted(arrays), expected, "rename it in numpy.savez")
    parts = {name: arrays[name] for name in SPLITS if name in arrays}
    found = [arrays[f"{name}_labels"] for name in parts if f"{name}_labels" in arrays]
    if found and len(found) < len(parts):
        missing = [f"{name}_labels" for name in parts if f"{name}_labels" not in arrays]
        raise InputError(f"arrays in {path}", sorted(arrays), f"also {', '.join(missing)}", "or no labels")
    return parts, found


def _shaped(path: str, name: str, x: np.ndarray, shape: Sequence[int] | None) -> np.ndarray:
    if x.ndim < 2 or not len(x):
        raise InputError(f"shape of {name} in {path}", x.shape, "(examples, ...) with one example or more")
    if x.dtype.kind not in "iufb":
        raise InputError(f"dtype of {name} in {path}", str(x.dtype), "real numbers")
    if shape is None:
        return x
    if np.prod(shape) != np.prod(x.shape[1:]):
        raise InputError("data.shape", tuple(shape), f"{int(np.prod(x.shape[1:]))} values as in {path}")
    return x.reshape(len(x), *shape)


def _joined(path: str, parts: list[np.ndarray]) -> np.ndarray:
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1:
        raise InputError(f"event shapes in {path}", sorted(shapes), "the same shape in every split")
    return np.concatenate(parts)


def _units(path: str, x: Any, levels: int | None, low: float | None, high: float | None) -> Units:
    bad = int(np.sum(~np.isfinite(x)))
    if bad:
        raise InputError(f"values in {path}", f"{bad} not finite", "finite numbers", "remove those examples")
    units: Units
    if levels is not None:
        units = UniformDequantization(levels=levels)
    else:
        low, high = float(x.min()) if low is None else low, float(x.max()) if high is None else high
        units = Continuous(low=low, high=high)
    units.check(x, f"value in {path}")
    return units


def _compact(x: np.ndarray, levels: int | None) -> np.ndarray:
    """Levels up to 256 as bytes, everything else as float32: what is sent to the device."""
    return x.astype(np.uint8 if levels is not None and levels <= 256 else np.float32)


def _with_labels(
    path: str, x: np.ndarray, parts: list[np.ndarray]
) -> tuple[dict[str, np.ndarray], int | None]:
    arrays = {"x": x}
    if not parts:
        return arrays, None
    labels = np.concatenate(parts)
    if labels.shape != (len(x),) or labels.dtype.kind not in "iu" or labels.min() < 0:
        expected = f"integers >= 0 of shape ({len(x)},)"
        raise InputError(f"labels in {path}", f"{labels.dtype} {labels.shape}", expected)
    return arrays | {"label": labels.astype(np.int32)}, int(labels.max()) + 1
