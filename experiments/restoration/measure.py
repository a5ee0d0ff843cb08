"""Measuring, restoring and judging, a file for each images, task and way."""

from __future__ import annotations

import functools
import json
import pathlib
import time
import zlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.restoration.normal import NormalLaw, normal_law
from experiments.restoration.tasks import IMAGES, METHODS, NOISE, Task, make_method, picture
from score_sde.config import build, load_config
from score_sde.denoisers.base import Denoiser
from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.image_quality import psnr, ssim
from score_sde.evaluation.report import write_json
from score_sde.experiment import Experiment, restore, train
from score_sde.experiment.restoring import Restoration, restore_one
from score_sde.experiment.restoring.run import clipped
from score_sde.inverse import GaussianNoise, Measurement

ROOT = pathlib.Path(__file__).parents[2]
TRIVIAL, NORMAL = "trivial", "normal law"
SHOWN = 6  # images whose pictures are kept
DRAWS = 4  # draws of each that are kept


class Size(NamedTuple):
    """How much of everything."""

    variant: str = ""  # of the configurations
    images: int = 20
    samples: int = 10
    steps: int = 50
    methods: tuple[str, ...] = tuple(METHODS)
    data: tuple[str, ...] = tuple(IMAGES)
    tasks: tuple[str, ...] = ()  # some of them only


FAST = Size("tiny", 2, 3, 2, ("DDNMPlus",), ("digits", "patches"), ("right half hidden", "colorization"))


class Entry(NamedTuple):
    """One way to restore the images of one task."""

    data: str
    task: Task
    way: str

    def path(self, workdir: pathlib.Path, suffix: str) -> pathlib.Path:
        """Where its results are."""
        names = (self.data, self.task.name, self.way)
        return workdir.joinpath("entries", *(name.replace(" ", "_") for name in names)).with_suffix(suffix)


class Prepared:
    """A trained model, test images in model space, and training images to compare with."""

    def __init__(self, experiment: Experiment, model: Denoiser, images: int) -> None:
        self.experiment, self.model = experiment, model
        self.interval = experiment.data.units.interval
        source = experiment.data.split("test")
        chosen = np.random.default_rng(0).permutation(len(source))[:images]
        self.batch = self._encoded(source.batch(chosen), 0)
        self.truths = np.asarray(self.batch["x"])
        self._laws: dict[int | None, NormalLaw] = {}

    def told(self, index: int, samples: int) -> Any:
        """What the model is told of an image: its class, if that is what it was trained with."""
        condition = self.experiment.condition(self.batch, n_classes=self.experiment.data.n_classes)
        return jax.tree.map(lambda leaf: jnp.repeat(leaf[index : index + 1], samples, axis=0), condition)

    def law(self, index: int) -> NormalLaw:
        """The normal law of training images, of the image's class if the model is told it."""
        told = self.told(index, 1)
        label = None if told is None else int(told[0])
        if label not in self._laws:
            x = np.asarray(self._training["x"])
            x = x if label is None else x[np.asarray(self._training["label"]) == label]
            self._laws[label] = normal_law(x)
        return self._laws[label]

    @functools.cached_property
    def _training(self) -> dict[str, Any]:
        return self._encoded(self.experiment.data.split("train").arrays(), 1)

    def _encoded(self, batch: dict[str, np.ndarray], number: int) -> dict[str, Any]:
        key = jax.random.fold_in(jax.random.key(self.experiment.seed), number)
        return {**batch, "x": self.experiment.data.units.encode(key, batch["x"])}


def prepare(data: str, runs: pathlib.Path, size: Size) -> Prepared:
    """The model of ``runs / data``, trained there unless it is."""
    file = str(ROOT / IMAGES[data].config)
    experiment = build(load_config(f"{file}:{size.variant}" if size.variant else file))
    print(f"{IMAGES[data].config}: training, or finding trained, in {runs / data}", flush=True)
    train(experiment, runs / data)
    return Prepared(experiment, clipped(experiment, restore(experiment, runs / data).model), size.images)


def measure(workdir: pathlib.Path, runs: pathlib.Path, size: Size) -> list[Entry]:
    """Do what is missing in ``workdir``; all entries, in their order."""
    wanted = entries(size)
    left = [entry for entry in wanted if not done(entry.path(workdir, ".json"), size)]
    began, prepared, of = 0.0, None, None
    for number, entry in enumerate(left):
        if of != entry.data:
            prepared, of = prepare(entry.data, runs, size), entry.data
        assert prepared is not None
        began = began or time.monotonic()  # the first training is not in the time left
        judge(entry, prepared, size, workdir)
        rest = (time.monotonic() - began) / (number + 1) * (len(left) - number - 1)
        what = f"{entry.data}, {entry.task.name}, {entry.way}"
        print(f"{number + 1} of {len(left)}: {what}; about {rest / 60:.1f} min left", flush=True)
    return wanted


def entries(size: Size) -> list[Entry]:
    """What is to be done; InputError for a name that there is not."""
    for flag, given, known in (("--methods", size.methods, METHODS), ("--data", size.data, IMAGES)):
        unknown = [name for name in given if name not in known]
        if unknown or not given:
            raise InputError(flag, ",".join(unknown), f"some of {', '.join(known)}", "separate by commas")
    return [
        Entry(data, task, way)
        for data in size.data
        for task in IMAGES[data].tasks
        if not size.tasks or task.name in size.tasks
        for way in (TRIVIAL, NORMAL, *size.methods)
    ]


def done(path: pathlib.Path, size: Size) -> bool:
    """Whether these results are there; those of another size stop the run rather than mix with it."""
    if not path.is_file():
        return False
    found = json.loads(path.read_text())["size"]
    if found != amount(size):
        raise InputError("--workdir", str(path), f"results of {amount(size)}", "choose an empty one")
    return True


def amount(size: Size) -> dict[str, Any]:
    """What numbers of an entry depend on."""
    return {name: getattr(size, name) for name in ("variant", "images", "samples", "steps")}


def judge(entry: Entry, prepared: Prepared, size: Size, workdir: pathlib.Path) -> None:
    """Restore all images in one way, and write numbers and pictures."""
    rows, kept = [], []
    for index in range(len(prepared.truths)):
        began = time.monotonic()
        restored = restored_image(entry, prepared, size, index)
        seconds = time.monotonic() - began
        rows.append(quality(restored, prepared.interval) | {"seconds": seconds})
        if index < SHOWN:
            kept.append(pictures_of(restored))
    stacked = {name: np.stack([each[name] for each in kept]) for name in kept[0]}
    stacked["interval"] = np.asarray(prepared.interval)
    pictures = entry.path(workdir, ".npz")
    replace_file(pictures, lambda stream: np.savez_compressed(stream, **stacked))
    write_json(entry.path(workdir, ".json"), {"size": amount(size), "rows": rows})


def restored_image(entry: Entry, prepared: Prepared, size: Size, index: int) -> Restoration:
    """Draws given one image's measurement, which is the same in all ways; a trivial estimate is one draw."""
    key = jax.random.fold_in(jax.random.key(zlib.crc32(f"{entry.data} {entry.task.name}".encode())), index)
    noise_key, draw_key = jax.random.split(key)
    truth = prepared.truths[index]
    measurement = Measurement.of(
        noise_key, truth[None], operator=entry.task.operator(truth.shape), noise=GaussianNoise(std=NOISE)
    )
    if entry.way == TRIVIAL:
        estimate = entry.task.estimate(measurement, prepared.law(index).mean.astype(np.float32))
        return Restoration(measurement, estimate[None], truth)
    if entry.way == NORMAL:
        return Restoration(measurement, prepared.law(index).draws(index, measurement, size.samples), truth)
    return restore_one(
        draw_key,
        model=prepared.model,
        method=make_method(entry.way, size.steps),
        measurement=measurement,
        samples=size.samples,
        cond=prepared.told(index, size.samples),
        truth=truth,
    )


def quality(restored: Restoration, interval: tuple[float, float]) -> dict[str, Any]:
    """Numbers of one image; of a single estimate there is no coverage, of what is not finite nothing."""
    if not np.isfinite(restored.draws).all():
        return {"finite": False}
    if len(restored.draws) > 1:
        return {"finite": True, **restored.quality(interval)}
    low, high = interval
    assert restored.truth is not None
    estimate = np.clip(restored.draws[0], low, high)
    near = {
        "psnr": psnr(restored.truth, estimate, low=low, high=high),
        "ssim": ssim(restored.truth, estimate, low=low, high=high),
    }
    return {"finite": True, **near}


def pictures_of(restored: Restoration) -> dict[str, np.ndarray]:
    """What a sheet shows of one image."""
    assert restored.truth is not None
    return {
        "truth": restored.truth,
        "measured": picture(restored.measurement),
        "mean": restored.mean,
        "std": restored.std,
        "draws": restored.draws[:DRAWS],
    }
