"""Films of forecast ensembles: what came, and what members say will come."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.dynamics.forecasting import NEXT
from experiments.dynamics.pictures import BLACK, MAP, ORANGE, Arrays, loaded
from score_sde.evaluation.movies import save_movie

RATE = 5.0  # frames a second
TAIL = 6  # states behind the head of a line
MEMBERS = 3  # that are shown of fields


def save_all(workdir: pathlib.Path, parts: Sequence[str]) -> list[pathlib.Path]:
    """A film of each part."""
    return [save(workdir / f"{part}_forecast", loaded(workdir, part)) for part in parts]


def save(path: pathlib.Path, found: Arrays) -> pathlib.Path:
    """Of the first origin's ensemble by the model of the next state."""
    truth, members = found["forecast truth"][0], found[f"forecast {NEXT}"][:, 0]
    draw = (_plane, _ring, _maps)[truth.ndim - 2]
    frames = [draw(truth, members, lead) for lead in range(len(truth))]
    return save_movie(path, frames, rate=RATE)


def _plane(truth: np.ndarray, members: np.ndarray, lead: int) -> np.ndarray:
    """The first and the last number of the state, with the way that they came."""
    figure = Figure(figsize=(4.0, 4.0), layout="constrained")
    axis, start = figure.add_subplot(), max(0, lead - TAIL)
    for each in members:
        axis.plot(
            each[start : lead + 1, 0], each[start : lead + 1, -1], color=ORANGE, linewidth=0.8, alpha=0.5
        )
    axis.scatter(members[:, lead, 0], members[:, lead, -1], s=18, color=ORANGE)
    axis.plot(truth[start : lead + 1, 0], truth[start : lead + 1, -1], color=BLACK, linewidth=1.2)
    axis.scatter(*truth[lead, [0, -1]], s=40, color=BLACK)
    axis.set(xlim=(-3, 3), ylim=(-3, 3), xlabel="first number", ylabel="last number")
    axis.set_title(f"members, and what came (black): lead {lead + 1}", fontsize=10)
    return _pixels(figure)


def _ring(truth: np.ndarray, members: np.ndarray, lead: int) -> np.ndarray:
    """Values over places."""
    figure = Figure(figsize=(5.6, 2.8), layout="constrained")
    axis = figure.add_subplot()
    axis.plot(members[:, lead, :, 0].T, color=ORANGE, linewidth=0.8, alpha=0.5)
    axis.plot(truth[lead, :, 0], color=BLACK, linewidth=1.4)
    axis.set(ylim=(-4, 4), xlim=(0, truth.shape[1] - 1), xlabel="place")
    axis.set_title(f"members, and what came (black): lead {lead + 1}", fontsize=10)
    return _pixels(figure)


def _maps(truth: np.ndarray, members: np.ndarray, lead: int) -> np.ndarray:
    """What came, and some members, side by side."""
    shown = {"what came": truth[lead]}
    shown |= {f"member {i + 1}": each[lead] for i, each in enumerate(members[:MEMBERS])}
    figure = Figure(figsize=(1.9 * len(shown), 2.2), layout="constrained")
    for axis, (name, field) in zip(figure.subplots(1, len(shown)), shown.items(), strict=True):
        axis.imshow(field[..., 0], cmap=MAP, vmin=-3, vmax=3, interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.set_title(name, fontsize=9)
    figure.supxlabel(f"lead {lead + 1}", fontsize=9)
    return _pixels(figure)


def _pixels(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
