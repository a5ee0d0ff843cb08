"""One method on one problem, and the files of its results."""

from __future__ import annotations

import functools
import itertools
import json
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.posterior_league import report
from experiments.posterior_league.contestants import Contestant, contestants
from experiments.posterior_league.distances import SlicedDistance, directions
from experiments.posterior_league.problems import Problem, make_problem
from experiments.workers import Job
from score_sde.errors import InputError
from score_sde.evaluation.report import write_json
from score_sde.inverse import log_evidence, posterior
from score_sde.inverse.particles import systematic
from score_sde.typing import Key

CACHED = 40_000  # values of an array that a core's cache holds some of


class Size(NamedTuple):
    """How much of everything."""

    draws: int = 1000
    slices: int = 10000
    steps: int = 100
    per_draw: int = 8  # particles at d = 8 and 80; 2 at d = 800
    replicates: int = 8192  # of a calibration
    filtered: int = 8192  # of a particle filter's

    def particles(self, dim: int) -> int:
        """For each draw: fewer where each costs more."""
        return max(2, min(self.per_draw, 1600 // dim))

    def together(self, dim: int) -> int:
        """Draws, or particles, at a time: what fits a core's cache, where steps take less of the time."""
        return min(self.draws, max(1, CACHED // dim))


FAST = Size(draws=100, slices=500, steps=40, per_draw=2, replicates=256, filtered=64)


class Task(NamedTuple):
    """One method on one problem, or the floor."""

    dim: int
    measured: int
    index: int
    method: str

    def path(self, workdir: Path) -> Path:
        """Where its result is."""
        name = f"{self.index:02d} {self.method}.json"
        return workdir / "problems" / report.cell_name(self.dim, self.measured) / name


class Judged:
    """A problem with its reference draws and evidence, made once for all methods."""

    def __init__(self, task: Task, size: Size) -> None:
        self.problem: Problem = make_problem(task.dim, task.measured, task.index)
        self.size = size
        exact = posterior(self.problem.prior, self.problem.measurement)
        keys = jax.random.split(jax.random.key(task.index), 2)
        self.reference, self.other = (np.asarray(exact.sample(key, size.draws)) for key in keys)
        self.distance = SlicedDistance(self.reference, directions(task.dim, size.slices))
        self.evidence = float(log_evidence(self.problem.prior, self.problem.measurement))

    def judge(self, task: Task, contestant: Contestant | None) -> dict[str, Any]:
        """The result of a task as it is written."""
        began = time.perf_counter()
        if contestant is None:
            x, error, evaluations = self.other, None, 0
        else:
            x, error = self._draw(contestant.method, zlib.crc32(task.method.encode()) % 2**31)
            evaluations = contestant.evaluations(self.problem.measurement)
        seconds, finite = time.perf_counter() - began, bool(np.all(np.isfinite(x)))
        distance = self.distance(x) if finite else (None, None)
        return {
            **task._asdict(),
            "size": list(self.size),
            "finite": finite,
            "sliced_2": distance[0],
            "sliced_1": distance[1],
            "seconds": seconds,
            "evaluations": evaluations,
            "evidence_error": error,
        }

    def _draw(self, method: Any, seed: int) -> tuple[np.ndarray, float | None]:
        key, shape = jax.random.key(seed), self.reference.shape
        prior, measurement = self.problem.prior, self.problem.measurement
        if not hasattr(method, "particles"):
            return self._in_parts(method, key), None
        run_key, pick_key = jax.random.split(key)
        drawn = method.particles(run_key, prior, measurement, (shape[0] * method.per_draw, shape[1]))
        x = drawn.x[systematic(pick_key, drawn.log_weights, shape[0])]
        return np.asarray(x), float(drawn.log_evidence) - self.evidence

    def _in_parts(self, method: Any, key: Key) -> np.ndarray:
        """Independent draws, a part after another."""
        count, dim = self.reference.shape
        each = self.size.together(dim)
        sizes = [min(each, count - start) for start in range(0, count, each)]
        keys = jax.random.split(key, len(sizes))
        problem = self.problem
        parts = [
            np.asarray(method(key, problem.prior, problem.measurement, (n, dim)))
            for key, n in zip(keys, sizes, strict=True)
        ]
        return np.concatenate(parts)


def tasks(dims: Sequence[int], measured: Sequence[int], problems: int, names: Sequence[str]) -> list[Task]:
    """All, the floor of each problem first."""
    return [
        Task(dim, few, index, name)
        for dim in dims
        for few in measured
        for index in range(problems)
        for name in (report.FLOOR, *names)
    ]


def done(path: Path, size: Size) -> bool:
    """Whether this result is there; one of another size stops the run rather than mix with it."""
    if not path.exists():
        return False
    found = json.loads(path.read_text())["size"]
    if found != list(size):
        raise InputError("--workdir", str(path), f"results of size {list(size)}", "choose an empty one")
    return True


def jobs(workdir: Path, todo: Sequence[Task], size: Size) -> list[Job]:
    """What is missing, a job a problem; the longest first, so that workers end together.

    Cells take turns: a worker that begins one finds its programs compiled by another, which had it before.
    """
    left = [task for task in todo if not done(task.path(workdir), size)]
    found = []
    for (dim, measured, index), group in itertools.groupby(left, key=lambda task: task[:3]):
        work = functools.partial(play, workdir, list(group), size)
        found.append(((-dim, index, measured), Job(f"{report.cell_name(dim, measured)} {index}", work)))
    return [job for _, job in sorted(found, key=lambda pair: pair[0])]


def play(workdir: Path, group: Sequence[Task], size: Size) -> None:
    """All tasks of one problem."""
    judged = Judged(group[0], size)
    dim = group[0].dim
    entered = contestants(size.steps, size.particles(dim), chunk=size.together(dim))
    for task in group:
        write_json(task.path(workdir), judged.judge(task, entered.get(task.method)))
