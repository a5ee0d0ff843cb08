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

from experiments.work_precision.solvers import PC, REFERENCE, TWINS, Solver, solvers
from experiments.work_precision.subjects import METRICS, MIXTURE, Amounts, Judge, sampled
from experiments.workers import Job
from score_sde.errors import InputError
from score_sde.evaluation.report import write_json

FLOOR = "floor"
LONG = ("DDIM", "Ancestral", "UniPC(terms=2)", "DPMSolverPP2M(churn=1)")  # go beyond 20 on networks
HUGE = 1e6  # draws beyond are those of steps that were not stable


class Size(NamedTuple):
    """How much of everything."""

    variant: str = ""  # of configurations
    counts: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 50, 100)  # evaluations
    network_counts: tuple[int, ...] = (2, 4, 5, 6, 8, 10, 20)
    long_counts: tuple[int, ...] = (50, 100)  # on networks, of LONG and of predictor-correctors
    reference: int = 1000  # evaluations of the predictor-correctors that all are held against
    network_tolerances: int = 2  # how many, the loosest first
    seeds: int = 80
    draws: int = 250  # of each seed
    network_seeds: int = 5
    network_draws: int = 99  # a third of the digits' test split
    projections: int = 100
    learnt_from: int = 10_000  # examples at most, by the classifier
    names: tuple[str, ...] = ()  # some solvers only

    def amounts(self, subject: str) -> Amounts:
        """What results of one table have in common."""
        drawn = (self.seeds, self.draws), (self.network_seeds, self.network_draws)
        return Amounts(*drawn[subject != MIXTURE], self.projections, self.learnt_from)


FAST = Size(
    "tiny", (2, 8), (), (), 8, 0, 2, 60, 2, 16, 20, 1000,
    ("DDIM", REFERENCE, "AdaptiveSDE"),
)  # fmt: skip


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
        raise InputError("--solvers", unknown[0], f"some of {', '.join(known)}", "separate by semicolons")
    for name in size.names or known:
        if subject == MIXTURE or name not in TWINS:
            found += _of(subject, known[name], size)
    return found


def _of(subject: str, solver: Solver, size: Size) -> Iterator[Task]:
    if solver.tolerances:
        kept = solver.tolerances if subject == MIXTURE else solver.tolerances[: size.network_tolerances]
        yield from (Task(subject, solver.name, tolerance, 30 / tolerance**0.3) for tolerance in kept)
        return
    done = 0
    for count in _counts(subject, solver.name, size):
        sampler = solver.at(count)
        if sampler is not None and sampler.evaluations > done:
            done = sampler.evaluations
            yield Task(subject, solver.name, count, done)


def counts(subject: str, size: Size) -> list[int]:
    """All numbers of evaluations that a subject's table shows."""
    of = size.counts if subject == MIXTURE else (*size.network_counts, *size.long_counts)
    return sorted({*of, size.reference})


def _counts(subject: str, name: str, size: Size) -> list[int]:
    if subject == MIXTURE:
        return counts(subject, size)
    corrected = name.startswith(PC) and "MALA" not in name
    more = size.long_counts if corrected or name in LONG else ()
    return sorted({*size.network_counts, *more, *([size.reference] if corrected else [])})


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
    each = 1 if run is None else 20  # a network takes so many times longer
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
