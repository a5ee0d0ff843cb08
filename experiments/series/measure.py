"""Fitting, forecasting and imputing: a file of ensembles for each series, way and seed."""

from __future__ import annotations

import functools
import json
import pathlib
import time
from typing import Any, NamedTuple

import numpy as np

from experiments.series.classical import WAYS, serves
from experiments.series.sources import SOURCES, Source
from experiments.series.tasks import TASKS, task
from experiments.workers import Job, run_jobs
from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file
from score_sde.series import NormalInnovations, NormalLaw, Recipe, SeriesModel, fit_normal_law, fit_series
from score_sde.training.progress import Silent

NORMAL, SCORE, PLAIN = "normal law", "score model", "score model, no normal law"
TRAINED = (SCORE, PLAIN)
ALL = (*WAYS, NORMAL, *TRAINED)


class Size(NamedTuple):
    """How much of everything."""

    sources: tuple[str, ...] = tuple(SOURCES)
    seeds: int = 3  # of networks
    members: int = 64
    updates: tuple[int, ...] = (25, 100, 400)
    copies: int = 48  # ways to hide that training has of each window
    windows: int | None = None  # of each task; None for all
    ways: tuple[str, ...] = ALL

    @property
    def amount(self) -> dict[str, Any]:
        """What results of another size differ in."""
        return {
            "members": self.members,
            "updates": list(self.updates),
            "copies": self.copies,
            "windows": self.windows,
        }


FAST = Size(("sunspots",), seeds=2, members=8, updates=(20,), copies=4, windows=6)


class Entry(NamedTuple):
    """One way on one series, with one seed."""

    source: str
    way: str
    seed: int

    def path(self, workdir: pathlib.Path) -> pathlib.Path:
        """Where its ensembles are."""
        name = self.way.replace(",", "").replace(" ", "_")
        return workdir / "entries" / self.source.replace(" ", "_") / f"{name}_{self.seed}.npz"


def entries(size: Size) -> list[Entry]:
    """All that is to be done: what trains has as many seeds as there are, the rest one."""
    unknown = [name for name in size.sources if name not in SOURCES]
    if unknown or not size.sources:
        raise InputError("--series", ",".join(unknown), f"some of {', '.join(SOURCES)}")
    return [
        Entry(source, way, seed)
        for way in size.ways
        for source in size.sources
        for seed in range(size.seeds if way in TRAINED else 1)
    ]


def measure(workdir: pathlib.Path, size: Size, workers: int) -> list[Entry]:
    """Do what is missing in ``workdir``; all entries."""
    wanted = entries(size)
    left = [entry for entry in wanted if not done(entry, workdir, size)]
    jobs = [
        Job(f"{each.source}, {each.way} {each.seed}", functools.partial(do, each, workdir, size))
        for each in left
    ]
    run_jobs(jobs, workers)
    return wanted


def done(entry: Entry, workdir: pathlib.Path, size: Size) -> bool:
    """Whether these ensembles are there; those of another size stop the run rather than mix with it."""
    path = entry.path(workdir)
    if not path.is_file():
        return False
    found = told(entry, workdir)["amount"]
    if found != size.amount:
        raise InputError("--workdir", str(path), f"results of {size.amount}", "choose an empty one")
    return True


def told(entry: Entry, workdir: pathlib.Path) -> dict[str, Any]:
    """What is kept beside the ensembles: amount, seconds, and how long a network trained."""
    with np.load(entry.path(workdir)) as file:
        return dict(json.loads(str(file["told"])))


def ensemble(entry: Entry, workdir: pathlib.Path, name: str) -> np.ndarray:
    """Of a task, in the units of the data, (members, n, asked)."""
    with np.load(entry.path(workdir)) as file:
        return np.asarray(file[name], float)


def do(entry: Entry, workdir: pathlib.Path, size: Size) -> None:
    """Fit, answer all tasks, and keep the ensembles."""
    source, began = SOURCES[entry.source](), time.monotonic()
    answers, rest = (_classical if entry.way in WAYS else _windowed)(entry, source, size)
    found = {name: source.scale.backward(each).astype(np.float32) for name, each in answers.items()}
    kept = {"amount": size.amount, "seconds": time.monotonic() - began, **rest}
    text = np.array(json.dumps(kept))
    replace_file(entry.path(workdir), lambda stream: np.savez_compressed(stream, told=text, **found))


def asked(source: Source, name: str, size: Size) -> Any:
    """A task, or the first windows of it."""
    whole, count = task(source, name), size.windows
    return whole._replace(starts=whole.starts[:count], seen=whole.seen[:count])


def _classical(entry: Entry, source: Source, size: Size) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    names = [name for name in TASKS if serves(entry.way, name)]
    tasks = [asked(source, name, size) for name in names]
    answers = WAYS[entry.way].answers(source, tasks, size.members, entry.seed)
    return dict(zip(names, answers, strict=True)), {}


def _windowed(entry: Entry, source: Source, size: Size) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The normal law, and the score models over it."""
    model, rest = fitted(entry, source, size)
    answers = {}
    for number, name in enumerate(TASKS):
        each = asked(source, name, size)
        drawn = model.draws(100 * entry.seed + number, each.parts(source), each.seen, size.members)
        answers[name] = each.asked(drawn)
    return answers, rest


def fitted(entry: Entry, source: Source, size: Size) -> tuple[SeriesModel, dict[str, Any]]:
    """The model of a series by one of our ways."""
    shape = source.shape
    if entry.way == NORMAL:
        law = fit_normal_law(source.fitted, shape.length, season=shape.season, differences=shape.differences)
        return SeriesModel(law, NormalInnovations()), {"order": law.order}
    recipe = Recipe(updates=size.updates, copies=size.copies)
    if entry.way == PLAIN:
        recipe = recipe._replace(memory=NormalLaw.without_memory)
    found = fit_series(
        source.fitted, source.held_from, shape, recipe, seed=entry.seed, progress=lambda steps: Silent()
    )
    losses = {str(updates): loss for updates, loss in found.losses.items()}
    return found.model, {"updates": found.updates, "held_losses": losses}
