"""The reverse process as a film: digits out of noise."""

from __future__ import annotations

import jax
import numpy as np

from experiments.dream.models import labels, sampler
from experiments.dream.stage import Stage
from score_sde.evaluation.pictures import grid

ROWS = 3
REST = 20  # frames that the film rests on its end


def play(stage: Stage) -> dict[str, float]:
    """Three of each class; the share that a judge reads as its class, at the end."""
    digits, columns = stage.digits, stage.size.columns
    classes = np.tile(np.arange(columns) % digits.classes, ROWS)
    shape = (len(classes), *digits.experiment.data.shape)
    steps = sampler(stage.size.steps)
    _, states = steps.trajectory(stage.key("process"), digits.model, shape, labels(classes))
    frames = [grid(digits.pixels(state), columns) for state in np.asarray(states)]
    stage.save_film("process", [*frames, *[frames[-1]] * REST])
    shown = np.linspace(0, len(frames) - 1, columns).round().astype(int)
    first = np.asarray(states)[shown][:, : digits.classes : 2]  # every other class, a row each
    pixels = digits.pixels(jax.numpy.asarray(first.swapaxes(0, 1).reshape(-1, *shape[1:])))
    stage.save_sheet("process", pixels, columns)
    return {"read as its class": float(np.mean(digits.read(states[-1])[0] == classes))}
