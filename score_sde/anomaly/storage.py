"""A fitted detector as one file of arrays, without pickles."""

from __future__ import annotations

import dataclasses
import io
import pathlib
from typing import Any

import jax
import numpy as np

from score_sde.anomaly.detector import DiffusionOutlierDetector
from score_sde.data.arrays import read_arrays
from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file
from score_sde.networks.base import partition
from score_sde.pytree import Pytree

PLAIN = ("center_", "scale_", "seed_", "offset_", "n_features_in_")


def save_detector(path: pathlib.Path, detector: DiffusionOutlierDetector, **others: np.ndarray) -> None:
    """Write what ``detector`` has learnt, and ``others``, as a ``.npz`` file; a given model is not in it."""
    arrays: dict[str, Any] = {name: getattr(detector, name) for name in PLAIN}
    arrays |= {f"score.{name}": value for name, value in _arrays(detector.anomaly_score_).items()}
    if detector.model is None:
        arrays |= {f"model.{name}": value for name, value in _flat(partition(detector.model_)[0]).items()}
    buffer = io.BytesIO()
    plain: dict[str, Any] = {name: np.asarray(value) for name, value in (arrays | others).items()}
    np.savez_compressed(buffer, **plain)
    replace_file(path, lambda stream: stream.write(buffer.getvalue()))


def load_detector(path: pathlib.Path, detector: DiffusionOutlierDetector) -> dict[str, np.ndarray]:
    """Fill ``detector``, made with the parameters of the one that was saved; returns the file's arrays.

    Raises:
        InputError: a file that cannot be read, or of other parameters.
    """
    arrays = read_arrays(str(path))
    try:
        for name in PLAIN:
            value = arrays[name]
            setattr(detector, name, value if value.ndim else value.item())
        score, model = detector.untrained()
        detector.anomaly_score_ = _filled(score, "score.", arrays)
        if detector.model is None:
            params, rebuild = partition(model)
            model = rebuild(_nested(params, "model.", arrays))
        detector.model_ = model
    except (KeyError, ValueError, TypeError) as error:
        expected = "a detector that was saved with these parameters"
        raise InputError(str(path), str(error), expected, "use another --workdir") from error
    return arrays


def _arrays(tree: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """Arrays among the fields of a pytree and of those inside it, by dotted name."""
    found: dict[str, np.ndarray] = {}
    for field in dataclasses.fields(tree):
        value = getattr(tree, field.name)
        if isinstance(value, jax.Array | np.ndarray):
            found[f"{prefix}{field.name}"] = np.asarray(value)
        elif isinstance(value, Pytree):
            found |= _arrays(value, f"{prefix}{field.name}.")
    return found


def _filled(tree: Any, prefix: str, arrays: dict[str, np.ndarray]) -> Any:
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(tree):
        name, value = f"{prefix}{field.name}", getattr(tree, field.name)
        if name in arrays:
            changes[field.name] = jax.numpy.asarray(arrays[name])
        elif isinstance(value, Pytree) and any(key.startswith(f"{name}.") for key in arrays):
            changes[field.name] = _filled(value, f"{name}.", arrays)
    return tree.replace(**changes) if changes else tree


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tree.items():
        inner = f"{prefix}{name}"
        found |= _flat(value, f"{inner}.") if isinstance(value, dict) else {inner: value}
    return found


def _nested(like: dict[str, Any], prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """The arrays in the structure of ``like``; ValueError for another shape."""
    found: dict[str, Any] = {}
    for name, value in like.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            found[name] = _nested(value, f"{key}.", arrays)
        elif arrays[key].shape != value.shape:
            raise ValueError(f"{key} has the shape {arrays[key].shape}, not {value.shape}")
        else:
            found[name] = jax.numpy.asarray(arrays[key])
    return found
