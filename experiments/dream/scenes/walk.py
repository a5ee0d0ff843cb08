"""A film without end: noise that wanders in a circle, and the digits that it stands for."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from experiments.dream.models import labels
from experiments.dream.stage import Stage
from score_sde.evaluation.pictures import grid
from score_sde.samplers import closed_walk


def play(stage: Stage) -> dict[str, float]:
    """How far the film's end is from its beginning, in steps between frames; how often it can be read."""
    digits, size = stage.digits, stage.size
    classes = np.arange(size.columns) % digits.classes
    event = digits.experiment.data.shape
    noise = closed_walk(stage.key("walk"), (size.columns, *event), size.frames)
    told = labels(np.tile(classes, len(noise)))
    drawn = stage.bridge.decode(digits.model, noise.reshape(-1, *event), told).reshape(noise.shape)
    frames = [grid(digits.pixels(each), size.columns) for each in drawn]
    stage.save_film("walk", frames)
    stage.save_sheet(
        "walk", digits.pixels(np.concatenate(np.asarray(drawn)[shown(size.frames)])), size.columns
    )
    steps = jnp.sqrt(jnp.mean(jnp.square(jnp.roll(drawn, -1, axis=0) - drawn), axis=(1, 2, 3, 4)))
    read = digits.read(drawn.reshape(-1, *event))[0]
    return {
        "last step over the mean step": float(steps[-1] / jnp.mean(steps[:-1])),
        "read as its class": float(np.mean(read == np.tile(classes, len(noise)))),
    }


def shown(frames: int) -> np.ndarray:
    """Which frames the sheet has: six, or all of fewer."""
    return np.unique(np.linspace(0, frames, 6, endpoint=False).astype(int))
