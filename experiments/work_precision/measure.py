"""One solver at one setting on one subject, and the files of results."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.work_precision.sizes import Size
from experiments.work_precision.solvers import TWINS, Solver, solvers
from experiments.work_precision.subjects import METRICS, MIXTURE, Judge, sampled
from experiments.workers import Job
from score_sde.errors import InputError, did_you_mean
from score_sde.evaluation.report import write_json

FLOOR = "floor"
HUGE = 1e6  # draws beyond are those of steps that were not stable


class Task(NamedTuple):
    """One solver at one setting, or the floor."""

    subject: str
    solver: str
    setting: float
    cost: float  # roughly, in evaluations

    def path(self, workdir: Path) -> Path:
        """Where its result is."""
        return workdir / "results" / self.subject / f"{self.solver} {self.setting:g}.json"


def tasks(subject: str, size: Size) -> list[Task]:
    """All of a subject, the floor first."""
    found = [Task(subject, FLOOR, 0, 0)]
    known = solvers()
    unknown = [name for name in size.names if name not in known]
    if unknown:
        remedy = did_you_mean(unknown[0], list(known)) or "separate by semicolons"
        raise InputError("--solvers", unknown[0], f"some of {', '.join(known)}", remedy)
    for name in size.names or known:
        if subject == MIXTURE or name not in TWINS:
            found += _of(subject, known[name], size)
    return found


def _of(subject: str, solver: Solver, size: Size) -> Iterator[Task]:
    if solver.tolerances:
        kept = solver.tolerances[: size.scopes[subject].tolerances]
        yield from (Task(subject, solver.name, tolerance, 30 / tolerance**0.3) for tolerance in kept)
        return
    done = 0
    for count in size.counts_of(subject, solver.name):
        sampler = solver.at(count)
        if sampler is not None and sampler.evaluations > done:
            done = sampler.evaluations
            yield Task(subject, solver.name, count, done)


def done(task: Task, workdir: Path, size: Size) -> bool:
    """Whether this result is there; one of another size stops the run rather than mix with it."""
    path = task.path(workdir)
    if not path.exists():
        return False
    found = json.loads(path.read_text())["size"]
    if found != amount(task.subject, size):
        raise InputError(
            "--workdir", str(path), f"results of size {amount(task.subject, size)}", "choose an empty one"
        )
    return True


def amount(subject: str, size: Size) -> list[Any]:
    """What results of one table have in common, as it is written."""
    return [size.variant, *size.amounts(subject)]


def jobs(workdir: Path, subject: str, judge: Judge, run: Path | None, size: Size) -> list[tuple[float, Job]]:
    """What is missing, with its cost."""
    left = [task for task in tasks(subject, size) if not done(task, workdir, size)]
    each = size.scopes[subject].weight
    return [
        (
            task.cost * each,
            Job(
                f"{subject}, {task.solver} {task.setting:g}",
                functools.partial(measure, task, judge, run, size, workdir),
            ),
        )
        for task in left
    ]


def measure(task: Task, judge: Judge, run: Path | None, size: Size, workdir: Path) -> None:
    """Draw and judge, a seed after the other, and write the result."""
    began = time.monotonic()
    if task.solver == FLOOR:
        draws, evaluations, stable = judge.floors, 0.0, True
    else:
        draws, evaluations, stable = _draw(task, run, size)
    seconds = time.monotonic() - began
    found = [judge.distances(x) for x in draws] if stable else []
    result = {
        **task._asdict(),
        "size": amount(task.subject, size),
        "evaluations": evaluations,
        "seconds": seconds,
        "stable": stable,
        "distances": {name: [each[name] for each in found] for name in METRICS},
    }
    write_json(task.path(workdir), result)


def _draw(task: Task, run: Path | None, size: Size) -> tuple[np.ndarray, float, bool]:
    """(seeds, draws, *event) in units of the data, evaluations of a sample, whether all are numbers."""
    subject, solver = sampled(task.subject, size.variant, run), solvers()[task.solver]
    amounts = size.amounts(task.subject)
    n = amounts.seeds * amounts.draws
    shape = (n, *subject.shape)
    drawn = solver.draw(solver.at(task.setting), jax.random.key(0), subject.model, shape, subject.told(n))
    raw, x = np.asarray(drawn.x), subject.decode(drawn.x)
    stable = bool(np.all(np.isfinite(raw)) and np.all(np.abs(raw) < HUGE))
    return x.reshape(amounts.seeds, -1, *subject.shape), float(drawn.evaluations), stable
