"""Checks of the arrays that evaluations take."""

from __future__ import annotations

from typing import Any

import numpy as np

from score_sde.errors import InputError


def as_rows(where: str, values: Any, at_least: int = 1) -> np.ndarray:
    """(N, *event) -> (N, D) in float64; raises for fewer than ``at_least`` examples, or for NaN or inf."""
    array = np.asarray(values)
    if array.ndim == 0 or array.size == 0 or len(array) < at_least:
        expected = f"an array (examples, *event) of at least {at_least} examples"
        raise InputError(f"{where}.shape", array.shape, expected, "give more data")
    rows = array.reshape(len(array), -1).astype(np.float64)
    if not np.isfinite(rows).all():
        count = int((~np.isfinite(rows)).sum())
        raise InputError(where, f"{count} NaN or infinite values", "finite numbers", "look at the samples")
    return rows


def require_same_event(where: str, values: Any, like_where: str, like: Any) -> None:
    """Raise unless one example of ``values`` has the shape of one example of ``like``."""
    event, expected = np.shape(values)[1:], np.shape(like)[1:]
    if event != expected:
        raise InputError(
            f"{where}.shape[1:]", event, f"{expected}, the event of {like_where}", "use the same data"
        )


def require_neighbors(where: str, k: int, points: int) -> None:
    """Raise unless 1 <= k <= points."""
    if not 1 <= k <= points:
        raise InputError(where, k, f"1 to {points}, the number of points", "lower it or give more points")


def require_labels(labels: np.ndarray, examples: int, at_least: int, remedy: str) -> None:
    """Raise unless there is a label for each example, of two classes or more with ``at_least`` of each."""
    if labels.shape != (examples,):
        raise InputError("labels.shape", labels.shape, f"({examples},)", "give one label for each image")
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise InputError("labels", classes.tolist(), "at least two classes", "give labelled data")
    if np.min(counts) < at_least:
        name = classes[np.argmin(counts)].item()
        raise InputError(f"examples of class {name}", int(np.min(counts)), f"at least {at_least}", remedy)
