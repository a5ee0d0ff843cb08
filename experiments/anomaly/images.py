"""Clothes of nine classes to learn from; to find: the tenth, digits, negatives, shuffled and faint images."""

from __future__ import annotations

import pathlib
from typing import NamedTuple

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from configs.parts import small
from experiments.anomaly.contestants import PAIRED
from experiments.anomaly.sizes import Size
from score_sde.config import bind, build, call
from score_sde.data import TFDS, Synthetic
from score_sde.data.base import ArraySource, Dataset
from score_sde.denoisers import LogSNRLabels
from score_sde.denoisers.base import ScoreModel
from score_sde.dequantization import UniformDequantization, Units
from score_sde.experiment import Experiment, restore, train
from score_sde.networks import UNet

HELD_OUT = 8  # bags: unlike all other clothes, but no simpler
TRAINED = 2000  # training images that nearest neighbours and the classical detectors know
MUTATED = 0.3  # share of pixels that the background's training images have at random
UNITS = UniformDequantization(levels=256)


class Pool(NamedTuple):
    """Models and images in model space (n, height, width, 1)."""

    model: ScoreModel
    background: ScoreModel
    units: Units
    train: np.ndarray
    normal: np.ndarray
    anomalies: dict[str, np.ndarray]


class Clothes(Dataset):
    """Images of 8-bit levels in memory."""

    def __init__(self, *, x: np.ndarray) -> None:
        super().__init__(shape=x.shape[1:], units=UNITS, splits={"train": ArraySource(x=x)})


def prepare(runs: pathlib.Path, size: Size) -> Pool:
    """Train in ``runs``, or find trained, the model of nine classes and that of the background."""
    images, labels, test, test_labels = _fashion(size)
    known = images[labels != HELD_OUT]
    model = _trained("clothes", known, size.image_steps, runs, size)
    background = model
    if PAIRED in size.ways:
        rng = np.random.default_rng(0)
        noise = rng.integers(0, 256, known.shape).astype(np.uint8)
        mutated = np.where(rng.random(known.shape) < MUTATED, noise, known)
        background = _trained("background", mutated, size.image_steps // 2, runs, size)
    normal = test[test_labels != HELD_OUT][: size.images]
    strange = {
        "a class held out": test[test_labels == HELD_OUT][: size.images],
        "digits": digit_images(size.images, size.pixels),
        "inverted": 255 - normal,
        "shuffled": shuffled(normal),
        "faint": normal // 4,
    }
    encoded = {name: _encode(x) for name, x in strange.items()}
    return Pool(model, background, UNITS, _encode(known[:TRAINED]), _encode(normal), encoded)


def _trained(name: str, x: np.ndarray, steps: int, runs: pathlib.Path, size: Size) -> ScoreModel:
    print(f"images of {name}: training, or finding trained, in {runs / name}", flush=True)
    experiment = _experiment(x, steps, size)
    train(experiment, runs / name)
    return restore(experiment, runs / name).model


def digit_images(count: int, pixels: int) -> np.ndarray:
    """Scikit-learn's digits, 8x8, enlarged as bytes (n, pixels, pixels, 1), in a random order."""
    chosen = np.random.default_rng(1).permutation(1797)[:count]
    small_ones = (load_digits().images[chosen] * 255 / 16).round().astype(np.uint8)
    large = [Image.fromarray(each).resize((pixels, pixels), Image.Resampling.BILINEAR) for each in small_ones]
    return np.stack([np.asarray(each) for each in large])[..., None]


def shuffled(images: np.ndarray) -> np.ndarray:
    """Each image's own pixels in an order of its own."""
    flat = np.random.default_rng(2).permuted(images.reshape(len(images), -1), axis=1)
    return flat.reshape(images.shape)


def _fashion(size: Size) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    if size.made_up:
        shape = (size.pixels, size.pixels, 1)
        data: Dataset = Synthetic(shape=shape, n_classes=10, size=4 * size.reference)
    else:
        data = TFDS(name="fashion_mnist", size=size.pixels, n_classes=10, resampling="bilinear")
    learnt, judged = data.split("train").arrays(), data.split("test").arrays()
    order = np.random.default_rng(3).permutation(len(judged["x"]))
    return learnt["x"], learnt["label"], judged["x"][order], judged["label"][order]


def _experiment(x: np.ndarray, steps: int, size: Size) -> Experiment:
    network = bind(
        UNet,
        channels=size.image_channels,
        multipliers=size.multipliers,
        blocks=1,
        attention_resolutions=(),
        dropout=0.0,
        label_scale=40.0,
    )
    plan = small.plan(
        tiny=size.made_up,
        steps=steps,
        batch_size=32,
        steps_per_call=10,
        checkpoint_every=500,
        snapshot_every=500,
    )
    recipe = small.recipe(labels=call(LogSNRLabels), learning_rate=3e-3, steps=steps)
    parts = {name: build(part) for name, part in (recipe | {"network": network, "training": plan}).items()}
    return Experiment(data=Clothes(x=x), sampler=None, **parts)


def _encode(x: np.ndarray) -> np.ndarray:
    """Bytes to model space, each at the middle of its level's cell."""
    return ((2 * (x.astype(np.float32) + 0.5) / 256) - 1).astype(np.float32)
