"""What is measured of which images, and the trivial estimate that every method has to beat."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from score_sde.experiment.restoring.images import half_mask
from score_sde.inverse import (
    DPS,
    AdaptivePiGDM,
    AveragePooling,
    Colorization,
    DDNMPlus,
    DiffPIR,
    GaussianBlur,
    Mask,
    Measurement,
    Method,
    Operator,
    PiGDM,
)
from score_sde.inverse.default_sampler import SAMPLER

METHODS: dict[str, Any] = {
    method.__name__: method for method in (AdaptivePiGDM, PiGDM, DPS, DDNMPlus, DiffPIR)
}
NOISE = 0.05  # standard deviation of every measurement's noise, where black is -1 and white 1


class Task(NamedTuple):
    """A measurement, and the estimate that takes no model: from a measurement and the mean image."""

    name: str
    operator: Callable[[tuple[int, ...]], Operator]
    trivial: str
    estimate: Callable[[Measurement, np.ndarray], np.ndarray]


class Images(NamedTuple):
    """The configuration of the data and model, and what is done to the images."""

    config: str
    tasks: tuple[Task, ...]


def make_method(name: str, steps: int) -> Method:
    """A method by name; all take as many steps of one sampler, and so as many evaluations."""
    return METHODS[name](sampler=SAMPLER.replace(n_steps=steps))


def mean_fill(measurement: Measurement, mean: np.ndarray) -> np.ndarray:
    """What is seen, and elsewhere the mean image."""
    operator = measurement.operator
    return np.where(operator.mask, operator.adjoint(measurement.y)[0], mean)


def bicubic(measurement: Measurement, mean: np.ndarray) -> np.ndarray:
    """The small image enlarged by Pillow's cubic kernel."""
    size = mean.shape[1], mean.shape[0]
    channels = np.moveaxis(np.asarray(measurement.y[0], np.float32), -1, 0)
    large = [Image.fromarray(channel).resize(size, Image.Resampling.BICUBIC) for channel in channels]
    return np.stack([np.asarray(channel) for channel in large], axis=-1)


def measured(measurement: Measurement, mean: np.ndarray) -> np.ndarray:
    """The measurement as an image; a grey one has its brightness in every channel."""
    del mean
    y, operator = measurement.y, measurement.operator
    return np.asarray(y[0] if y.shape[1:] == operator.shape else operator.adjoint(y)[0])


def picture(measurement: Measurement) -> np.ndarray:
    """What the measurement shows, at the image's size: hidden pixels grey, small images in squares."""
    y, operator = measurement.y, measurement.operator
    if y.ndim == 4 and y.shape[1] < operator.shape[0]:
        factor = operator.shape[0] // y.shape[1]
        return np.asarray(y[0]).repeat(factor, axis=0).repeat(factor, axis=1)
    return measured(measurement, np.zeros(operator.shape))


def _hidden(shape: tuple[int, ...]) -> Operator:
    return Mask(mask=half_mask("right", shape), shape=shape)


def _smaller(factor: int) -> Callable[[tuple[int, ...]], Operator]:
    return lambda shape: AveragePooling(shape=shape, factor=factor)


def _blurred(shape: tuple[int, ...]) -> Operator:
    return GaussianBlur(shape=shape, std=math.sqrt(shape[0] / 8))  # 1 pixel of 8, 1.9 of 28


GREY = (
    Task("right half hidden", _hidden, "mean fill", mean_fill),
    Task("2x super-resolution", _smaller(2), "bicubic", bicubic),
    Task("4x super-resolution", _smaller(4), "bicubic", bicubic),
    Task("deblurring", _blurred, "measurement", measured),
)
COLOUR = (Task("colorization", lambda shape: Colorization(shape=shape), "measurement", measured),)

IMAGES = {
    "digits": Images("configs/digits.py", GREY),
    "patches": Images("configs/patches.py", COLOUR),
    "fashion_mnist": Images("configs/fashion_mnist.py", GREY),
}
