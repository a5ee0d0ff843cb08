"""Cleaning a user's files: each into a file of the same name, and a report of all."""

from __future__ import annotations

import math
import pathlib
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.denoise import files
from experiments.denoise.files import Noisy
from experiments.denoise.noises import Estimate
from experiments.denoise.prepare import ROOT
from experiments.denoise.signals import clean_signals
from score_sde.config import build, load_config
from score_sde.denoise import (
    Anscombe,
    Tiled,
    estimated_risk,
    haar_std,
    mmse,
    noise_line,
    pca_std,
    posterior_draws,
    stabilised,
)
from score_sde.denoisers.base import Denoiser
from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.report import table, write_json
from score_sde.experiment import restore, train
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.samplers.checks import require_denoiser

SILENT = 1e-6  # noise below this part of the spread of values is none
PHOTONS = "photons"
LARGE = 64  # pixels a side, from which patches tell texture from noise
TEXTURE = 0.95  # of the Haar coefficients' value: where patches say less, it was texture


class Job(NamedTuple):
    """What is done to every file."""

    noise: str = "normal"
    std: float | None = None  # in the file's units
    draws: int = 0
    steps: int = 50
    variant: str = ""  # of the configuration of the model of images
    updates: int = 800  # of the network of signals


class Cleaned(NamedTuple):
    """A file's clean values, draws of an image, and a line of the report."""

    values: np.ndarray
    draws: list[np.ndarray]
    row: dict[str, Any]


def clean_all(given: pathlib.Path, output: pathlib.Path, runs: pathlib.Path, job: Job) -> int:
    """Clean a file or all files of a folder; the number of those that could not be."""
    if job.std is not None and not 0 < job.std < math.inf:
        raise InputError("--std", job.std, "a positive number, in the units of the files")
    paths, rows, model = files.found(given), [], Model(runs, job.variant)
    began = time.monotonic()
    for number, path in enumerate(paths):
        try:
            noisy = files.read(path)
            cleaned = _signal(path, noisy, job) if noisy.signal else _image(path, noisy, job, model)
            _write(output, path, noisy, cleaned)
            rows.append({"file": path.name, **cleaned.row})
        except InputError as error:
            rows.append({"file": path.name, "error": str(error)})
            print(f"error: {error}", file=sys.stderr, flush=True)
        left = (time.monotonic() - began) / (number + 1) * (len(paths) - number - 1)
        print(f"{number + 1} of {len(paths)}: {path.name}; {left:.0f} s left", flush=True)
    write_json(output / "report.json", {"settings": job._asdict(), "files": rows})
    text = _table(rows)
    replace_file(output / "report.txt", lambda stream: stream.write(f"{text}\n".encode()))
    print(f"{text}\nwrote the clean files, report.json and report.txt below {output}")
    return sum("error" in row for row in rows)


class Model:
    """The model of colour patches, trained or read when the first image asks for it."""

    def __init__(self, runs: pathlib.Path, variant: str) -> None:
        self._runs, self._variant = runs, variant
        self._tiled: Denoiser | None = None

    def tiled(self) -> Denoiser:
        """It, on tiles of larger images."""
        if self._tiled is None:
            file = str(ROOT / "configs/patches.py")
            experiment = build(load_config(f"{file}:{self._variant}" if self._variant else file))
            print(
                f"configs/patches.py: training, or finding trained, in {self._runs / 'patches'}", flush=True
            )
            train(experiment, self._runs / "patches")
            model = require_denoiser("cleaning", restore(experiment, self._runs / "patches").model)
            self._tiled = Tiled.of(model, experiment.data.shape)
        return self._tiled


def _signal(path: pathlib.Path, noisy: Noisy, job: Job) -> Cleaned:
    if job.noise == PHOTONS:
        raise InputError(str(path), job.noise, "normal noise of signals", "leave out --noise")
    channels = noisy.values.T
    stds = np.array([job.std or haar_std(one, signal=True, limits=noisy.saturated) for one in channels])
    noise = stds > SILENT * np.maximum(channels.std(axis=1), 1e-300)  # a column of times has none
    values, risks = noisy.values.copy(), np.zeros(len(stds))
    if noise.any():
        seed = zlib.crc32(path.name.encode())
        values[:, noise], risks[noise] = clean_signals(
            values[:, noise], stds[noise], seed=seed, updates=job.updates
        )
    return Cleaned(values, [], _row("signal", noisy, stds.tolist(), stds[noise] ** 2, risks[noise]))


def _image(path: pathlib.Path, noisy: Noisy, job: Job, model: Model) -> Cleaned:
    """By one evaluation of the model for every tile, and as many draws as are asked for."""
    low, high = noisy.interval
    if not low < high:
        raise InputError(str(path), low, "an image with more than one value")
    y = (2 * noisy.values - low - high) / (high - low)
    limits = None if noisy.saturated is None else (-1.0, 1.0)
    unit = (high - low) / 2
    key = jax.random.key(zlib.crc32(path.name.encode()))
    risks: list[float] = []

    def once(values: np.ndarray, std: float) -> np.ndarray:
        found, risk = _estimate(key, model.tiled(), values, std)
        risks.append(risk / std**2)
        return found

    transform, stds = _noise(y, job, limits, unit)
    if transform is None and stds[0] <= SILENT:
        return Cleaned(noisy.values, [], _row("image", noisy, [0.0], np.ones(1), np.ones(1)))

    def serve(estimate: Estimate) -> np.ndarray:
        found = estimate(y, stds[0]) if transform is None else stabilised(estimate, y, transform, high=1.0)
        return (np.clip(found, -1, 1) * (high - low) + low + high) / 2

    values = serve(once)
    draws = [serve(_drawing(jax.random.fold_in(key, n + 1), model, job.steps)) for n in range(job.draws)]
    return Cleaned(
        values, draws, _row("image", noisy, [std * unit for std in stds], np.ones(1), np.array(risks))
    )


def _noise(
    y: np.ndarray, job: Job, limits: tuple[float, float] | None, unit: float
) -> tuple[Anscombe | None, list[float]]:
    """What makes photons' noise normal, if there are any; its standard deviation, or black's and white's."""
    if job.noise == PHOTONS:
        line = noise_line(y, low=-1.0, limits=limits)
        std = line.std if job.std is None else job.std / unit
        if line.gain > 0:
            return Anscombe(gain=line.gain, std=std, low=-1.0), [std, math.sqrt(2 * line.gain + std**2)]
        return None, [std]
    if job.std is not None:
        return None, [job.std / unit]
    found = haar_std(y, limits=limits)
    cut = limits is not None and ((y <= limits[0]) | (y >= limits[1])).any()
    if not cut and min(y.shape[:2]) >= LARGE:
        patches = pca_std(y)
        found = patches if patches < TEXTURE * found else found
    return None, [found]


def _estimate(key: jax.Array, model: Denoiser, y: np.ndarray, std: float) -> tuple[np.ndarray, float]:
    """E[x_0 | y] of one image, and the squared error that is estimated of it."""
    lift, total = _lifted(key, y.shape, std)

    def denoise(y: jax.Array) -> jax.Array:
        found = mmse(model, lift(y), total)
        return jnp.mean(found, axis=-1, keepdims=True) if y.shape[-1] == 1 else found

    found, risk = estimated_risk(key, denoise, jnp.asarray(y, jnp.float32)[None], std)
    return np.asarray(found[0], np.float64), float(risk[0])


def _drawing(key: jax.Array, model: Model, steps: int) -> Estimate:
    def draw(y: np.ndarray, std: float) -> np.ndarray:
        lift, total = _lifted(key, y.shape, std)
        rows = lift(jnp.asarray(y, jnp.float32)[None])
        sampler = SAMPLER.replace(n_steps=steps)
        found = np.asarray(posterior_draws(key, model.tiled(), rows, total, sampler=sampler)[0], np.float64)
        return found.mean(axis=-1, keepdims=True) if y.shape[-1] == 1 else found

    return draw


def _lifted(
    key: jax.Array, shape: tuple[int, ...], std: float
) -> tuple[Callable[[jax.Array], jax.Array], float]:
    """Images of one channel as three with independent noise, whose mean is the one; its standard deviation.

    y + e with normal e of variance 3 std^2 (I - 1 1^T / 3) over the channels: with std^2 1 1^T of y's own
    noise that is 3 std^2 I. Nothing is lost, as the mean of the three is y.
    """
    if shape[-1] == 3:
        return lambda y: y, std
    e = math.sqrt(3) * std * jax.random.normal(key, (*shape[:-1], 3))
    e = e - jnp.mean(e, axis=-1, keepdims=True)
    return lambda y: y + e, math.sqrt(3) * std


def _row(kind: str, noisy: Noisy, stds: list[float], before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """``gain``: decibels that the squared error is estimated to fall by.

    That estimate is no better than a mean of so many squares of normal values, to sqrt(2 / values). A larger
    gain than that is told as this one.
    """
    ratio = float(np.mean(after / before)) if len(before) else 1.0
    gain = -10 * math.log10(max(ratio, math.sqrt(2 / noisy.values.size)))
    return {"kind": kind, "shape": list(noisy.values.shape), "noise_std": stds, "gain": gain}


def _write(output: pathlib.Path, path: pathlib.Path, noisy: Noisy, cleaned: Cleaned) -> None:
    replace_file(output / path.name, lambda stream: noisy.save(stream, cleaned.values))
    for number, draw in enumerate(cleaned.draws):
        name = f"{path.stem}_draw_{number + 1}{path.suffix}"
        replace_file(output / name, lambda stream, draw=draw: noisy.save(stream, draw))


def _table(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        if "error" in row:
            lines.append((row["file"], "not cleaned", "", "", ""))
            continue
        stds = ", ".join(f"{std:.4g}" for std in row["noise_std"])
        shape = " x ".join(map(str, row["shape"]))
        lines.append((row["file"], row["kind"], shape, stds, f"{row['gain']:.1f}"))
    return table(("file", "what", "size", "noise std", "estimated gain, dB"), lines)
