"""Cleaning one picture: how noisy it is, the estimate by the model of photographs, and draws."""

from __future__ import annotations

import functools
import math
import pathlib
import zlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.denoise.blocks import Tell, by_blocks
from experiments.denoise.files import Noisy
from experiments.denoise.noises import Estimate
from experiments.denoise.prepare import on_tiles, trained
from score_sde.denoise import (
    Anscombe,
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
from score_sde.inverse.default_sampler import SAMPLER

SILENT = 1e-6  # noise below this part of the spread of values is none
PHOTONS = "photons"
LARGE = 64  # pixels a side, from which patches tell texture from noise
TEXTURE = 0.95  # of the Haar coefficients' value: where patches say less, it was texture
BLOCK, OVERLAP = 320, 32  # pixels


class Cleaned(NamedTuple):
    """A file's clean values, draws of an image, and a line of the report."""

    values: np.ndarray
    draws: list[np.ndarray]
    row: dict[str, Any]


class Model:
    """The model of photographs on tiles of larger images, trained or read when it is first asked for."""

    def __init__(self, runs: pathlib.Path, variant: str) -> None:
        self._runs, self._variant = runs, variant
        self._tiled: Denoiser | None = None

    def tiled(self) -> Denoiser:
        """It."""
        if self._tiled is None:
            experiment, model = trained("photographs", self._runs, self._variant)
            self._tiled = on_tiles(model, experiment)
        return self._tiled


class Job(NamedTuple):
    """What is done to every file."""

    noise: str = "normal"
    std: float | None = None  # in the file's units
    draws: int = 0
    steps: int = 50
    variant: str = ""  # of the configuration of the model of photographs


def clean_picture(path: pathlib.Path, noisy: Noisy, job: Job, model: Model, tell: Tell) -> Cleaned:
    """By one evaluation of the model for every tile, and as many draws as are asked for."""
    low, high = noisy.interval
    if not low < high:
        raise InputError(str(path), low, "an image with more than one value")
    y = (2 * noisy.values - low - high) / (high - low)
    limits = None if noisy.saturated is None else (-1.0, 1.0)
    unit = (high - low) / 2
    key = jax.random.key(zlib.crc32(path.name.encode()))
    risks: list[float] = []
    transform, stds = _noise(y, job, limits, unit)
    if transform is None and stds[0] <= SILENT:
        return Cleaned(noisy.values, [], row("image", noisy, [0.0], np.ones(1), np.ones(1)))

    def once(values: np.ndarray, std: float) -> np.ndarray:
        part = functools.partial(_estimate, key, model.tiled(), std=std)
        found, risk = by_blocks(part, values, BLOCK, OVERLAP, tell)
        risks.append(risk / std**2)
        return found

    def serve(estimate: Estimate) -> np.ndarray:
        found = estimate(y, stds[0]) if transform is None else stabilised(estimate, y, transform, high=1.0)
        return (np.clip(found, -1, 1) * (high - low) + low + high) / 2

    values = serve(once)
    keys = [jax.random.fold_in(key, number + 1) for number in range(job.draws)]
    draws = [serve(functools.partial(_draw, each, model.tiled(), job.steps)) for each in keys]
    levels = [std * unit for std in stds]
    return Cleaned(values, draws, row("image", noisy, levels, np.ones(1), np.array(risks)))


def row(kind: str, noisy: Noisy, stds: list[float], before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """``gain``: decibels that the squared error is estimated to fall by.

    That estimate is no better than a mean of so many squares of normal values, to sqrt(2 / values). A larger
    gain than that is told as this one.
    """
    ratio = float(np.mean(after / before)) if len(before) else 1.0
    gain = -10 * math.log10(max(ratio, math.sqrt(2 / noisy.values.size))) + 0.0  # not -0.0
    return {"kind": kind, "shape": list(noisy.values.shape), "noise_std": stds, "gain": gain}


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


def _estimate(key: jax.Array, model: Denoiser, y: np.ndarray, *, std: float) -> tuple[np.ndarray, float]:
    """E[x_0 | y] of one block of an image, and the squared error that is estimated of it."""
    found, risk = _with_risk(key, model, jnp.asarray(y, jnp.float32)[None], std)
    return np.asarray(found[0], np.float64), float(risk[0])


@jax.jit
def _with_risk(key: jax.Array, model: Denoiser, y: jax.Array, std: jax.Array) -> Any:
    more, total = _lift(key, y.shape, std)

    def denoise(y: jax.Array) -> jax.Array:
        return _channels_like(y, mmse(model, y + more, total))

    return estimated_risk(key, denoise, y, std)  # type: ignore[arg-type]  # a traced number


def _draw(key: jax.Array, model: Denoiser, steps: int, y: np.ndarray, std: float) -> np.ndarray:
    rows = jnp.asarray(y, jnp.float32)[None]
    more, total = _lift(key, rows.shape, std)
    found = posterior_draws(key, model, rows + more, float(total), sampler=SAMPLER.replace(n_steps=steps))
    return np.asarray(_channels_like(rows, found)[0], np.float64)


def _lift(key: jax.Array, shape: tuple[int, ...], std: Any) -> tuple[jax.Array, Any]:
    """What makes images of one channel three with independent noise, whose mean is the one; its deviation.

    y + e with normal e of variance 3 std^2 (I - 1 1^T / 3) over the channels: with std^2 1 1^T of y's own
    noise that is 3 std^2 I. Nothing is lost, as the mean of the three is y.
    """
    if shape[-1] == 3:
        return jnp.zeros(shape), std
    e = math.sqrt(3) * std * jax.random.normal(key, (*shape[:-1], 3))
    return e - jnp.mean(e, axis=-1, keepdims=True), math.sqrt(3) * std


def _channels_like(y: jax.Array, found: jax.Array) -> jax.Array:
    return jnp.mean(found, axis=-1, keepdims=True) if y.shape[-1] == 1 else found
