"""The posterior league: every method against exact posteriors of a Gaussian mixture.

``python -m experiments.posterior_league.run --workdir=runs/league`` runs what is missing there, a file a
problem and method, and writes ``results.json``, ``table.txt`` and ``league.png``. Killed, it goes on.
``--fast`` is a small form for tests.
"""

from __future__ import annotations

import json
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from absl import flags

from experiments.commands import flag_values, run_command
from experiments.posterior_league import calibration, report
from experiments.posterior_league.contestants import Contestant, contestants
from experiments.posterior_league.distances import directions, sliced
from experiments.posterior_league.problems import Problem, make_problem
from score_sde.errors import InputError
from score_sde.evaluation.report import write_json
from score_sde.inverse import log_evidence, posterior
from score_sde.inverse.particles import systematic


class Size(NamedTuple):
    """How much of everything."""

    draws: int = 1000
    slices: int = 10000
    steps: int = 100
    per_draw: int = 16  # particles at d = 8 and 80; 2 at d = 800
    replicates: int = 16384

    def particles(self, dim: int) -> int:
        """For each draw: fewer where each costs more."""
        return max(2, min(self.per_draw, 1600 // dim))


FAST = Size(draws=100, slices=500, steps=40, per_draw=2, replicates=256)


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
        self.size, self.units = size, directions(task.dim, size.slices)
        exact = posterior(self.problem.prior, self.problem.measurement)
        keys = jax.random.split(jax.random.key(task.index), 2)
        self.reference, self.other = (np.asarray(exact.sample(key, size.draws)) for key in keys)
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
        distance = sliced(x, self.reference, self.units) if finite else (None, None)
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
            return np.asarray(method(key, prior, measurement, shape)), None
        run_key, pick_key = jax.random.split(key)
        drawn = method.particles(run_key, prior, measurement, (shape[0] * method.per_draw, shape[1]))
        x = drawn.x[systematic(pick_key, drawn.log_weights, shape[0])]
        return np.asarray(x), float(drawn.log_evidence) - self.evidence


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


def play(workdir: Path, todo: Sequence[Task], size: Size) -> None:
    """Run what is missing, with the time left."""
    left = [task for task in todo if not done(task.path(workdir), size)]
    began, judged, of = time.monotonic(), None, None
    for i, task in enumerate(left):
        if of != task[:3]:
            judged, of = Judged(task, size), task[:3]
        assert judged is not None
        entered = contestants(size.steps, size.particles(task.dim))
        write_json(task.path(workdir), judged.judge(task, entered.get(task.method)))
        passed = time.monotonic() - began
        remaining = passed / (i + 1) * (len(left) - i - 1)
        cell = report.cell_name(task.dim, task.measured)
        print(
            f"{i + 1}/{len(left)} {cell} {task.index} {task.method}: {remaining / 60:.1f} min left",
            flush=True,
        )


def calibrate(workdir: Path, size: Size, entered: dict[str, Contestant]) -> dict[str, Any]:
    """Rank statistics of all, of exact draws, and of exact draws with a bias of 5 %."""
    problem = calibration.setting()
    truth, y = calibration.simulate(problem, size.replicates, seed=1)
    rng, many = np.random.default_rng(0), 16384
    exact_truth, exact_y = calibration.simulate(problem, many, seed=2)
    found = {
        "exact": calibration.p_values(problem, exact_truth, calibration.exact_draws(problem, exact_y, rng)),
        "exact, 5 % off": calibration.p_values(
            problem, exact_truth, calibration.biased_draws(problem, exact_y, rng)
        ),
    }
    for name, contestant in entered.items():
        path = workdir / "calibration" / f"{name}.json"
        if not path.exists():
            print(f"calibration of {name}", flush=True)
            draws = calibration.method_draws(contestant.method, problem, y, seed=3)
            write_json(path, calibration.p_values(problem, truth, draws))
        found[name] = json.loads(path.read_text())
    return found


def conclude(workdir: Path, ranks: dict[str, Any]) -> dict[str, Any]:
    """Tables, picture and JSON of all that is in ``workdir``."""
    summary = report.summarize(report.read_rows(workdir / "problems"))
    results = {"cells": summary, "verdict": report.verdict(summary), "calibration": ranks}
    write_json(workdir / "results.json", results)
    texts = [report.distances_text(summary), report.costs_text(summary)]
    texts += [report.calibration_text(ranks)] if ranks else []
    text = "\n\n".join(texts) + "\n"
    (workdir / "table.txt").write_text(text)
    report.save_plot(workdir / "league.png", summary)
    print(text)
    for cell, of in results["verdict"].items():
        print(f"{cell}: best {of['best']}, {of['times_floor']:.2f} times the floor")
    return results


def run(
    workdir: Path,
    *,
    size: Size,
    dims: Sequence[int],
    measured: Sequence[int],
    problems: int,
    names: Sequence[str] = (),
    calibrated: bool = True,
) -> dict[str, Any]:
    """The league; returns what ``results.json`` holds."""
    entered = contestants(size.steps, size.per_draw)  # the filters of a calibration have their own number
    unknown = [name for name in names if name not in entered]
    if unknown:
        raise InputError("--methods", unknown[0], f"some of {', '.join(entered)}")
    entered = {name: entered[name] for name in names or entered}
    play(workdir, tasks(dims, measured, problems, list(entered)), size)
    return conclude(workdir, calibrate(workdir, size, entered) if calibrated else {})


def defined() -> flags.FlagValues:
    """The flags of this command."""
    values = flag_values("runs/league")
    flags.DEFINE_integer("problems", 20, "problems of each cell", lower_bound=1, flag_values=values)
    flags.DEFINE_list("dims", ["8", "80", "800"], "dimensions of x", flag_values=values)
    flags.DEFINE_list("measured", ["1", "2", "4"], "dimensions of y", flag_values=values)
    flags.DEFINE_list("methods", [], "names of contestants; default: all", flag_values=values)
    flags.DEFINE_bool("calibration", True, "also rank statistics", flag_values=values)
    return values


def numbers(flag: str, given: Sequence[str], unit: int = 1) -> list[int]:
    """Positive multiples of ``unit`` in a flag's list."""
    for text in given:
        if not text.isdigit() or int(text) < 1 or int(text) % unit:
            expected = f"positive multiples of {unit}, separated by commas"
            raise InputError(flag, text, expected)
    return [int(text) for text in given]


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = defined()

    def work() -> None:
        fast = values.fast
        run(
            Path(values.workdir),
            size=FAST if fast else Size(),
            dims=[8] if fast else numbers("--dims", values.dims, unit=2),
            measured=[1] if fast else numbers("--measured", values.measured),
            problems=1 if fast else values.problems,
            names=values.methods,
            calibrated=values.calibration,
        )

    return run_command(argv, __doc__, values, work)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
