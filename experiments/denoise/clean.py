"""Cleaning a user's files: each into a file of the same name, and a report of all."""

from __future__ import annotations

import functools
import math
import pathlib
import sys
import time
import zlib
from typing import Any

import numpy as np

from experiments.denoise import files
from experiments.denoise.files import Noisy
from experiments.denoise.pictures import PHOTONS, SILENT, Cleaned, Job, Model, clean_picture, row
from experiments.denoise.signals import clean_signals
from score_sde.denoise import haar_std
from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.report import table, write_json

Rows = dict[pathlib.Path, dict[str, Any]]


def clean_all(given: pathlib.Path, output: pathlib.Path, runs: pathlib.Path, job: Job) -> int:
    """Clean a file or all files of a folder; the number of those that could not be.

    Those that cannot be read are told before anything else is done.
    """
    if job.std is not None and not 0 < job.std < math.inf:
        raise InputError("--std", job.std, "a positive number, in the units of the files")
    paths = files.found(given)
    if output.resolve() in (given.resolve(), paths[0].resolve().parent):
        raise InputError("--input", str(given), "another folder than the clean files'", "change --workdir")
    rows: Rows = {}
    pictures = [path for path in paths if _tried(rows, path, files.read) and not files.read(path).signal]
    model = Model(runs, job.variant)
    if pictures:
        model.tiled()
    wanted, began = [path for path in paths if path not in rows], time.monotonic()
    for number, path in enumerate(wanted):
        if _tried(rows, path, functools.partial(_clean, rows, output, job, model)):
            left = (time.monotonic() - began) / (number + 1) * (len(wanted) - number - 1)
            print(f"{number + 1} of {len(wanted)}: {path.name}; {left:.0f} s left", flush=True)
    return _report(output, job, [rows[path] for path in paths])


def _tried(rows: Rows, path: pathlib.Path, work: Any) -> bool:
    """Whether the work on a file could be done; if not, it is told, naming the file."""
    try:
        work(path)
    except InputError as error:
        told = str(error) if str(path) in str(error) else f"{path}: {error}"
        rows[path] = {"file": path.name, "error": told}
        print(f"error: {told}", file=sys.stderr, flush=True)
        return False
    return True


def _clean(rows: Rows, output: pathlib.Path, job: Job, model: Model, path: pathlib.Path) -> None:
    noisy, began = files.read(path), time.monotonic()

    def tell(number: int, count: int) -> None:
        if count > 1:
            left = (time.monotonic() - began) / number * (count - number)
            print(f"{path.name}: block {number} of {count}; about {left:.0f} s left", flush=True)

    cleaned = _signals(path, noisy, job) if noisy.signal else clean_picture(path, noisy, job, model, tell)
    replace_file(output / path.name, lambda stream: noisy.save(stream, cleaned.values))
    for number, draw in enumerate(cleaned.draws):
        name = f"{path.stem}_draw_{number + 1}{path.suffix}"
        replace_file(output / name, lambda stream, draw=draw: noisy.save(stream, draw))
    rows[path] = {"file": path.name, **cleaned.row}


def _signals(path: pathlib.Path, noisy: Noisy, job: Job) -> Cleaned:
    """All signals of a file; those without noise, as a column of times, stay as they are."""
    if job.noise == PHOTONS:
        raise InputError(str(path), job.noise, "normal noise of signals", "leave out --noise")
    channels = noisy.values.T
    found = np.array([haar_std(one, signal=True, limits=noisy.saturated) for one in channels])
    steps = np.diff(channels, axis=1)
    axis = np.all(steps > 0, axis=1) | np.all(steps < 0, axis=1)  # as times, which may have been rounded
    noise = ~axis & (found > SILENT * np.maximum(channels.std(axis=1), 1e-300))
    stds = np.where(noise, job.std or found, 0.0)
    values, risks = noisy.values.copy(), np.zeros(len(stds))
    if noise.any():
        seed = zlib.crc32(path.name.encode())
        values[:, noise], risks[noise] = clean_signals(values[:, noise], stds[noise], seed=seed)
    return Cleaned(values, [], row("signal", noisy, stds.tolist(), stds[noise] ** 2, risks[noise]))


def _report(output: pathlib.Path, job: Job, rows: list[dict[str, Any]]) -> int:
    write_json(output / "report.json", {"settings": job._asdict(), "files": rows})
    text = _table(rows)
    replace_file(output / "report.txt", lambda stream: stream.write(f"{text}\n".encode()))
    print(f"{text}\nwrote the clean files, report.json and report.txt below {output}")
    return sum("error" in row for row in rows)


def _table(rows: list[dict[str, Any]]) -> str:
    lines = []
    for found in rows:
        if "error" in found:
            lines.append((found["file"], "not cleaned", "", "", ""))
            continue
        stds = ", ".join(f"{std:.4g}" for std in found["noise_std"])
        shape = " x ".join(map(str, found["shape"]))
        lines.append((found["file"], found["kind"], shape, stds, f"{found['gain']:.1f}"))
    return table(("file", "what", "size", "noise std", "estimated gain, dB"), lines)
