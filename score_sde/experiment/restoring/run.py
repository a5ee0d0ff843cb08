"""Restoring every image of a folder: files beside one another, and a run that was stopped goes on."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.denoisers.base import Denoiser
from score_sde.denoisers.clipped import Clipped
from score_sde.dequantization import Units
from score_sde.errors import InputError
from score_sde.evaluation.report import table, write_json
from score_sde.experiment.base import Experiment
from score_sde.experiment.generation import conditions
from score_sde.experiment.restoring.images import image_files, read_brightness, read_measured
from score_sde.experiment.restoring.one import Restoration, restore_one
from score_sde.experiment.restoring.pages import write_pages, write_sheet
from score_sde.inverse.base import Measurement, Method, Noise, Operator
from score_sde.inverse.particles.memory import require_memory
from score_sde.samplers.checks import require_denoiser
from score_sde.typing import Condition, Key


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """What is done to every image.

    Attributes:
        operator: what is measured; its shape is that of the data.
        noise: of the measurement.
        method: what draws from the posterior.
        samples: draws of each image; the particles of a particle method.
        seed: of simulated noise and draws.
        measured: the files are measurements already, not images to measure.
        truth: folder of true images of the same names, for measurements; None for none.
        resize: fit images of other sizes.
        settings: how all this was written down, kept beside the results.
    """

    operator: Operator
    noise: Noise
    method: Method
    samples: int = 8
    seed: int = 0
    measured: bool = False
    truth: str | None = None
    resize: bool = False
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise InputError("--samples", self.samples, "a positive count", "8 is usual")


def restore_images(
    experiment: Experiment, model: Any, task: Task, *, given: str, output: pathlib.Path
) -> dict[str, Any]:
    """Restore the image or folder ``given`` into ``output``; returns what ``restore.json`` holds.

    Below ``output``, a folder for each image with ``measurement.png`` (where it can be shown), ``mean.png``,
    ``std.png``, ``sample_*.png``, ``draws.npz`` and ``result.json``, then ``sheet.png`` of all images and
    ``restore.json``. Images whose ``result.json`` was made by the same settings are not drawn again.

    Raises:
        InputError: an image that cannot be read or does not fit; what was written before stays.
    """
    files, rows = image_files(given), []
    _require_names(files)
    for file in files:  # before the first is drawn
        measure(jax.random.key(0), task, file, experiment.data.units)
    denoiser, began, drawn = clipped(experiment, model), time.monotonic(), 0
    for index, file in enumerate(files):
        folder = output / file.stem
        settings = task.settings | {"files": digests(task, file)}
        row = _finished(folder / "result.json", settings)
        if row is None:
            row = _restore_file(experiment, denoiser, task, file, folder)
            write_json(folder / "result.json", {"settings": settings, "row": row})
            drawn += 1
        rows.append(row)
        left = (time.monotonic() - began) / max(drawn, 1) * (len(files) - index - 1)
        print(f"restored {index + 1} of {len(files)}: {file.name}; {left:.0f} s left", flush=True)
    result: dict[str, Any] = {"settings": task.settings, "images": rows, "mean": _means(rows)}
    write_json(output / "restore.json", result)
    write_sheet(output / "sheet.png", [output / file.stem for file in files], experiment.data.units.interval)
    print(_table(rows, result["mean"]))
    print(f"wrote {output / 'sheet.png'}, {output / 'restore.json'} and a folder for each image")
    return result


def clipped(experiment: Experiment, model: Any) -> Denoiser:
    """The model with its estimates cut to what an image can be.

    At large noise a network's error in E[x_0 | x_t] is large, and its gradient, which guided methods follow,
    larger by sigma / alpha; the cut ends both.
    """
    low, high = experiment.data.units.interval
    return Clipped.of(require_denoiser("restoring images", model), low, high)


def _restore_file(
    experiment: Experiment, model: Denoiser, task: Task, file: pathlib.Path, folder: pathlib.Path
) -> dict[str, Any]:
    noise_key, draw_key = jax.random.split(jax.random.fold_in(jax.random.key(task.seed), _number(file.stem)))
    measurement, truth = measure(noise_key, task, file, experiment.data.units)
    shape = (task.samples, *task.operator.shape)
    given = functools.partial(conditions, draw_key, experiment.condition, experiment.data)
    lowered = functools.partial(_lowered, model, shape, given)
    require_memory(type(task.method).__name__, shape, None, lowered)
    began = time.monotonic()
    restored = restore_one(
        draw_key,
        model=model,
        method=task.method,
        measurement=measurement,
        samples=task.samples,
        cond=given(np.arange(task.samples)),
        truth=truth,
    )
    _require_finite(restored, task)
    interval = experiment.data.units.interval
    row = {
        "image": file.name,
        "seconds": time.monotonic() - began,
        **restored.quality(interval),
    }
    (folder / "result.json").unlink(missing_ok=True)  # pages of another run are being replaced
    write_pages(folder, restored, interval)
    return row


def _lowered(model: Denoiser, shape: tuple[int, ...], given: Callable[[np.ndarray], Condition]) -> Any:
    """One evaluation of the model for all draws: the least that any method holds."""
    x, t = jax.ShapeDtypeStruct(shape, jnp.float32), jax.ShapeDtypeStruct(shape[:1], jnp.float32)
    return jax.jit(lambda x, t, cond: model(x, t, cond)).lower(x, t, given(np.arange(shape[0])))


def measure(key: Key, task: Task, file: pathlib.Path, units: Units) -> tuple[Measurement, np.ndarray | None]:
    """The measurement of an image file, and the true image (height, width, channels) where there is one."""
    if not task.measured:
        encode_key, key = jax.random.split(key)
        x = units.of_picture(encode_key, read_brightness(file, task.operator.shape, resize=task.resize))[None]
        return Measurement.of(key, x, operator=task.operator, noise=task.noise), np.asarray(x[0])
    y = read_measured(file, task.operator, units.interval, resize=task.resize)
    measurement = Measurement(y=y, operator=task.operator, noise=task.noise)
    if task.truth is None:
        return measurement, None
    there = pathlib.Path(task.truth) / file.name
    if not there.is_file():
        raise InputError("--truth", str(there), "a true image of the same name", "leave --truth out")
    x = units.of_picture(key, read_brightness(there, task.operator.shape, resize=task.resize))
    return measurement, np.asarray(x)


def digests(task: Task, file: pathlib.Path) -> dict[str, str]:
    """What identifies the content of an image and, where there is one, of its truth."""
    named = {"image": file}
    if task.truth is not None:
        named["truth"] = pathlib.Path(task.truth) / file.name
    return {name: digest(each) for name, each in named.items()}


def digest(file: pathlib.Path) -> str:
    """SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _finished(file: pathlib.Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    """The row of an image that was restored in the same way before."""
    if not file.is_file():
        return None
    try:
        kept = json.loads(file.read_text())
        return dict(kept["row"]) if kept["settings"] == json.loads(json.dumps(settings)) else None
    except (ValueError, KeyError, TypeError):
        return None


def _number(name: str) -> int:
    """A number that belongs to the name, so that an image's draws do not depend on its neighbours."""
    return int.from_bytes(name.encode()[-16:].rjust(16, b"\0"), "big") % (2**31 - 1)


def _require_names(files: list[pathlib.Path]) -> None:
    stems = [file.stem for file in files]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if twice is not None:
        raise InputError("--input", twice, "names that differ in more than their ending", "rename one")


def _require_finite(restored: Restoration, task: Task) -> None:
    if not np.isfinite(restored.draws).all():
        remedy = "take more steps, a smaller step size or another method"
        raise InputError("--method", type(task.method).__name__, "finite draws", remedy)


def _means(rows: list[dict[str, Any]]) -> dict[str, float]:
    names = [name for name in rows[0] if name != "image" and all(name in row for row in rows)]
    return {name: float(np.mean([row[name] for row in rows])) for name in names}


def _table(rows: list[dict[str, Any]], mean: dict[str, float]) -> str:
    names = [name for name in ("psnr", "psnr_of_a_draw", "ssim", "coverage", "seconds") if name in mean]
    lines = [(row["image"], *(row[name] for name in names)) for row in rows]
    return table(("image", *names), [*lines, ("mean", *(mean[name] for name in names))])
