"""Measuring: a file for each kind of data, noise and way."""

from __future__ import annotations

import functools
import json
import pathlib
import re
import time
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.denoise import mixtures, waves
from experiments.denoise.classical import BM3D, available
from experiments.denoise.noises import NORMAL, PHOTONS, Kind
from experiments.denoise.prepare import IMAGES, Prepared, prepare
from score_sde.denoise import pca_std
from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.image_quality import psnr, ssim
from score_sde.evaluation.report import write_json
from score_sde.experiment.restoring.one import coverage

MIXTURE, SIGNALS = "mixture", "signals"
NOISY, LAWS, MODEL, ESTIMATED, DRAWS = (
    "noisy",
    "normal laws",
    "score model",
    "score model, sigma estimated",
    "score model, mean of draws",
)
DATA = (MIXTURE, SIGNALS, *IMAGES)
DRAWN = "sigma 25"  # the noise for which draws are made, and pictures shown
SHOWN = 6  # images whose pictures are kept
PATCH = 3  # side of the patches that a small image's noise is estimated from


class Size(NamedTuple):
    """How much of everything."""

    variant: str = ""  # of the configurations
    images: int = 16
    draws: int = 4
    steps: int = 25
    seeds: int = 3
    updates: int = 1500
    data: tuple[str, ...] = DATA
    noises: tuple[str, ...] = ()  # some of them only
    without: tuple[str, ...] = ()  # ways that are left out


SLOW = ("trained", "blind: Noise2Score")  # to compile
FAST = Size("tiny", 2, 2, 2, 2, 20, (MIXTURE, SIGNALS, "photographs"), ("std 0.3", "beats", "sigma 25"), SLOW)


class Entry(NamedTuple):
    """One way to denoise the images of one kind, with one noise."""

    data: str
    noise: str
    way: str

    def path(self, workdir: pathlib.Path, suffix: str) -> pathlib.Path:
        """Where its results are."""
        data, noise, way = ("_".join(re.findall(r"[\w.-]+", name)) for name in self)
        return workdir / "entries" / data / noise / f"{way}{suffix}"


def kinds(data: str) -> dict[str, Kind]:
    """The noises of these images by name."""
    found = (*NORMAL, *PHOTONS) if data == "photographs" else NORMAL
    return {kind.name: kind for kind in found}


def entries(size: Size) -> list[Entry]:
    """What is to be done; InputError for a name that there is not."""
    unknown = [name for name in size.data if name not in DATA]
    if unknown or not size.data:
        raise InputError("--data", ",".join(unknown), f"some of {', '.join(DATA)}", "separate by commas")
    found = []
    if MIXTURE in size.data:
        levels = [f"std {std:g}" for std in mixtures.LEVELS]
        found += [Entry(MIXTURE, level, way) for level in levels for way in mixtures.WAYS]
    if SIGNALS in size.data:
        found += [Entry(SIGNALS, wave, way) for wave in waves.WAVES for way in waves.WAYS]
    for data in size.data:
        for kind in kinds(data).values() if data in IMAGES else ():
            filters = [name for name in available() if name != BM3D or kind.transform is None]  # it is slow
            ways = [NOISY, *filters, LAWS, MODEL, *((ESTIMATED,) if kind.transform is None else ())]
            ways += [DRAWS] if kind.name == DRAWN else []
            found += [Entry(data, kind.name, way) for way in ways]
    chosen = [entry for entry in found if not size.noises or entry.noise in size.noises]
    return [entry for entry in chosen if entry.way not in size.without]


def measure(workdir: pathlib.Path, runs: pathlib.Path, size: Size) -> list[Entry]:
    """Do what is missing in ``workdir``; all entries, in their order."""
    wanted = entries(size)
    left = [entry for entry in wanted if not done(entry.path(workdir, ".json"), size)]
    # Models first: then the time that is left can be told of the rest.
    prepared = {data: prepare(data, runs, size.variant, size.images) for data in _images(left)}
    began = time.monotonic()
    for number, entry in enumerate(left):
        if entry.data in prepared:
            rows = judge_images(entry, prepared[entry.data], size, workdir)
        else:
            rows = judge_seeds(entry, size, workdir)
        write_json(entry.path(workdir, ".json"), {"size": amount(size), **rows})
        rest = (time.monotonic() - began) / (number + 1) * (len(left) - number - 1)
        what = f"{entry.data}, {entry.noise}, {entry.way}"
        print(f"{number + 1} of {len(left)}: {what}; about {rest / 60:.1f} min left", flush=True)
    return wanted


def _images(left: list[Entry]) -> list[str]:
    return list(dict.fromkeys(entry.data for entry in left if entry.data in IMAGES))


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
    return {
        name: value for name, value in size._asdict().items() if name not in ("data", "noises", "without")
    }


def judge_seeds(entry: Entry, size: Size, workdir: pathlib.Path) -> dict[str, Any]:
    """A row for each seed of mixtures and of signals; of these, what the first was and what it became."""
    began = time.monotonic()
    if entry.data == SIGNALS:
        each = [waves.judged(entry.way, entry.noise, seed) for seed in range(size.seeds)]
        rows, kept = [judged.row for judged in each], each[0]._asdict()
        kept.pop("row")
        replace_file(entry.path(workdir, ".npz"), lambda stream: np.savez_compressed(stream, **kept))
    else:
        std = float(entry.noise.removeprefix("std "))
        rows = [mixtures.judged(entry.way, std, seed, size.updates) for seed in range(size.seeds)]
    return {"rows": rows, "seconds": (time.monotonic() - began) / size.seeds}


def judge_images(entry: Entry, prepared: Prepared, size: Size, workdir: pathlib.Path) -> dict[str, Any]:
    """A row for each image, and pictures of some."""
    kind, truths = kinds(entry.data)[entry.noise], prepared.truths
    key = jax.random.key(zlib.crc32(f"{entry.data} {entry.noise}".encode()))
    y = np.asarray(kind.noise.sample(key, jnp.asarray(truths)))  # the same for every way
    extra: dict[str, Any] = {}
    began = time.monotonic()
    if entry.way == DRAWS:
        std = float(kind.noise.std)  # type: ignore[attr-defined]
        draws = prepared.draws(jax.random.fold_in(key, 1), y, std, size.draws, size.steps)
        draws = np.clip(draws, -1, 1)
        found = draws.mean(axis=0)
    else:
        estimate = _estimate(entry.way, kind, prepared, extra)
        found, draws = kind.serve(estimate, y), None
    extra["seconds"] = (time.monotonic() - began) / len(y)
    rows = [_quality(truth, one) for truth, one in zip(truths, found, strict=True)]
    if draws is not None:
        for index, row in enumerate(rows):
            single = [psnr(truths[index], draw, low=-1, high=1) for draw in draws[:, index]]
            row["psnr_of_a_draw"] = float(np.mean(single))
            row["coverage"] = coverage(draws[:, index], truths[index])
    if entry.way == ESTIMATED:
        for row, std in zip(rows, extra.pop("stds"), strict=True):
            row["estimated"] = std / float(kind.noise.std)  # type: ignore[attr-defined]
    _keep(entry.path(workdir, ".npz"), truths, y, found, draws)
    return {"rows": rows, **extra}


def _estimate(way: str, kind: Kind, prepared: Prepared, extra: dict[str, Any]) -> Callable[..., np.ndarray]:
    """The estimate that a way makes; what it found out on the way goes to ``extra``."""
    if way in available():
        classical, truths = available()[way], prepared.validation
        seen = np.asarray(kind.noise.sample(jax.random.key(0), jnp.asarray(truths)))
        extra["strength"] = classical.tuned(kind, truths, seen)
        return functools.partial(classical.estimate, extra["strength"])
    if way == ESTIMATED:

        def estimate(y: np.ndarray, std: float) -> np.ndarray:
            del std
            extra["stds"] = [pca_std(image, patch=PATCH) for image in y]
            return prepared.estimate(y, np.array(extra["stds"], np.float32))

        return estimate
    return {
        NOISY: lambda y, std: y,
        LAWS: prepared.normal_estimate,
        MODEL: prepared.estimate,
    }[way]


def _quality(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    return {"psnr": psnr(truth, found, low=-1, high=1), "ssim": ssim(truth, found, low=-1, high=1)}


def _keep(
    path: pathlib.Path, truths: np.ndarray, y: np.ndarray, found: np.ndarray, draws: np.ndarray | None
) -> None:
    kept = {"truth": truths[:SHOWN], "noisy": y[:SHOWN], "found": found[:SHOWN]}
    kept |= {} if draws is None else {"draw": draws[0, :SHOWN]}
    kept = {name: np.asarray(value, np.float32) for name, value in kept.items()}
    replace_file(path, lambda stream: np.savez_compressed(stream, **kept))
