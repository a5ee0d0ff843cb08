"""Pictures of samples, of the reverse process and of neighbours, for whatever an example is.

Images become grids, strips and animations; points of the plane become scatter plots; for other shapes
there is no picture, and the numbers are in the files beside.
"""

from __future__ import annotations

import pathlib

import numpy as np

from score_sde.data.base import Dataset
from score_sde.evaluation.pictures import save_animation, save_comparison, save_grid, save_strip
from score_sde.evaluation.plots import save_scatter

FRAMES = 60


def is_image(shape: tuple[int, ...]) -> bool:
    """Whether an example is a grey or colour image, channels last."""
    return len(shape) == 3 and shape[-1] in (1, 3)


def is_point(shape: tuple[int, ...]) -> bool:
    """Whether an example is a point of the plane."""
    return shape == (2,)


def picture_samples(path: pathlib.Path, samples: np.ndarray, data: Dataset) -> list[str]:
    """Draw samples (data units) at ``path``; returns the names of what was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_image(data.shape):
        low, high = value_range(data)
        save_grid(path, samples, low=low, high=high)
    elif is_point(data.shape):
        save_scatter(path, {"data": data.split("test").arrays()["x"], "samples": samples})
    else:
        return []
    return [path.name]


def picture_process(folder: pathlib.Path, times: np.ndarray, states: np.ndarray, data: Dataset) -> list[str]:
    """Draw a reverse process: ``states`` (steps, n, *shape) in model space, at ``times``.

    Each frame is divided by its root mean square where that exceeds 1, so that processes with large
    noise do not start as black and white.
    """
    shown = np.unique(np.linspace(0, len(states) - 1, min(FRAMES, len(states))).round().astype(int))
    frames = states[shown]
    size = np.sqrt(np.mean(np.square(frames), axis=tuple(range(1, frames.ndim)), keepdims=True))
    values = np.asarray(data.units.decode(frames / np.maximum(size, 1.0)))
    if is_image(data.shape):
        low, high = value_range(data)
        save_strip(folder / "process.png", values, times=times[shown], low=low, high=high)
        save_animation(folder / "process.gif", values, low=low, high=high)
        return ["process.png", "process.gif"]
    if is_point(data.shape):
        picks = np.linspace(0, len(shown) - 1, 5).round().astype(int)
        save_scatter(folder / "process.png", {f"t = {times[shown[i]]:.2g}": values[i] for i in picks})
        return ["process.png"]
    return []


def picture_neighbors(
    path: pathlib.Path, samples: np.ndarray, neighbors: np.ndarray, data: Dataset, count: int = 40
) -> None:
    """Draw the first samples, each above its neighbour; images only."""
    if is_image(data.shape):
        low, high = value_range(data)
        save_comparison(path, samples[:count], neighbors[:count], low=low, high=high)


def value_range(data: Dataset) -> tuple[float, float]:
    """The data units of -1 and 1 in model space: what is drawn black and white."""
    low, high = np.asarray(data.units.decode(np.array([-1.0, 1.0])))
    return float(low), float(high)
