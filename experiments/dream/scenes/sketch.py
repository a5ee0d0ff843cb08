"""Printed numerals become handwriting: noise up to a time, and the reverse process from there."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from experiments.dream.models import labels, sampler
from experiments.dream.stage import Stage
from score_sde.inverse import SDEdit

TIMES = (0.05, 0.1, 0.15, 0.25)  # of T = 1, where sigma is 0.17, 0.32, 0.46 and 0.67
FONT, CANVAS, STROKE = 60, 96, 2  # pixels


def play(stage: Stage) -> dict[str, float]:
    """For each time: how many are read as the numeral, and how far they are from it."""
    digits = stage.digits
    event = digits.experiment.data.shape
    guide = jnp.asarray(np.stack([numeral(i, event) for i in range(digits.classes)]))
    told = labels([digits.classes] * digits.classes)  # any class: the sketch has to say it
    rows, numbers = [guide], {"read, as printed": _read(stage, guide)}
    for t0 in TIMES:
        edit = SDEdit(sampler=sampler(stage.size.steps), t0=t0)
        drawn = edit(jax.random.fold_in(stage.key("sketch"), round(100 * t0)), digits.model, guide, told)
        rows.append(drawn)
        numbers[f"read, from t = {t0}"] = _read(stage, drawn)
        numbers[f"root mean square change, from t = {t0}"] = float(
            jnp.sqrt(jnp.mean(jnp.square(drawn - guide)))
        )
    stage.save_sheet(
        "sketch", digits.pixels(np.concatenate([np.asarray(row) for row in rows])), digits.classes
    )
    return numbers


def numeral(value: int, event: tuple[int, ...]) -> np.ndarray:
    """A numeral as it is printed, (height, width, 1) from -1 (paper) to 1 (ink)."""
    picture = Image.new("L", (CANVAS, CANVAS))
    middle, font = (CANVAS / 2, CANVAS / 2), ImageFont.load_default(FONT)
    ImageDraw.Draw(picture).text(middle, str(value), 255, font, anchor="mm", stroke_width=STROKE)
    _, top, _, bottom = picture.getbbox() or (0, 0, CANVAS, CANVAS)
    half = (bottom - top) / 2  # as high as the frame, as the data are
    square = (middle[0] - half, top, middle[0] + half, bottom)
    small = picture.resize(event[1::-1], Image.Resampling.BOX, square)
    return (2 * np.asarray(small, np.float32) / 255 - 1)[..., None]


def _read(stage: Stage, x: jax.Array) -> float:
    return float(np.mean(stage.digits.read(x)[0] == np.arange(len(x))))
