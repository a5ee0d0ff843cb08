"""From one handwritten digit to another by way of their noise, beside a cross-fade of their pixels."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from experiments.dream.models import Digits, labels
from experiments.dream.stage import Stage
from score_sde.evaluation.pictures import grid
from score_sde.samplers import great_circle
from score_sde.typing import Batch

SHOWN = 5  # pairs of the sheet


def play(stage: Stage) -> dict[str, float]:
    """How sure a judge is of what is half-way, in noise and in pixels; how well the ends come back."""
    digits, bridge, size = stage.digits, stage.bridge, stage.size
    x, _ = digits.test_digits(2 * size.columns)
    ends = bridge.encode(digits.model, x, labels([digits.classes] * len(x)))  # of any class
    (first, second), ends = ((e[: size.columns], jnp.roll(e[size.columns :], 3, axis=0)) for e in (x, ends))
    fractions = 0.5 - 0.5 * np.cos(np.pi * np.linspace(0, 1, size.frames))  # slow at both ends
    path = great_circle(*ends, fractions)
    flat = path.reshape(-1, *first.shape[1:])
    drawn = bridge.decode(digits.model, flat, labels([digits.classes] * len(flat))).reshape(path.shape)
    faded = jnp.asarray([(1 - f) * first + f * second for f in fractions])
    _save(stage, digits, np.asarray(drawn), np.asarray(faded))
    middle = slice(size.frames // 3, -(size.frames // 3) or None)
    return {
        "read surely half-way": _sure(digits, drawn[middle]),
        "read surely half-way, pixels faded": _sure(digits, faded[middle]),
        "error of the ends": float(
            jnp.sqrt(jnp.mean(jnp.square(jnp.stack([drawn[0] - first, drawn[-1] - second]))))
        ),
    }


def _sure(digits: Digits, frames: Batch) -> float:
    """Share of pictures that the judge is over 90 % sure of."""
    sure = digits.read(frames.reshape(-1, *frames.shape[2:]))[1]
    return float(np.mean(sure > 0.9))


def _save(stage: Stage, digits: Digits, drawn: np.ndarray, faded: np.ndarray) -> None:
    columns = stage.size.columns
    frames = [grid(digits.pixels(np.concatenate(pair)), columns) for pair in zip(drawn, faded, strict=True)]
    stage.save_film("interpolation", [*frames, *frames[::-1]])
    shown = np.linspace(0, len(drawn) - 1, columns).round().astype(int)
    pairs = range(min(SHOWN, columns))
    rows = [states[shown, i] for i in pairs for states in (drawn, faded)]
    stage.save_sheet("interpolation", digits.pixels(np.concatenate(rows)), columns)
