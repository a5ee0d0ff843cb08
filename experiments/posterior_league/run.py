"""The posterior league: every method against exact posteriors of a Gaussian mixture.

``python -m experiments.posterior_league.run --workdir=runs/league`` runs what is missing there, a file a
problem and method, and writes ``results.json``, ``table.txt`` and ``league.png``. Killed, it goes on.
``--fast`` is a small form for tests.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from experiments.commands import flag_values, run_command
from experiments.posterior_league import calibration, report
from experiments.posterior_league.contestants import Contestant, contestants
from experiments.posterior_league.play import FAST, Size, jobs, tasks
from experiments.workers import Job, cores, run_jobs
from score_sde.errors import InputError
from score_sde.evaluation.report import write_json

EXACT_REPLICATES = 16384  # enough to reject draws that are 5 % off


def calibration_path(workdir: Path, name: str) -> Path:
    """Where the ranks of a method are."""
    return workdir / "calibration" / f"{name}.json"


def calibrations(workdir: Path, size: Size, entered: dict[str, Contestant]) -> list[Job]:
    """Rank statistics that are missing; particle filters, which take the longest, first."""
    found = []
    for name, contestant in entered.items():
        replicates = size.filtered if hasattr(contestant.method, "particles") else size.replicates
        path = calibration_path(workdir, name)
        if path.exists():
            _require_replicates(path, replicates)
            continue
        work = functools.partial(calibrate, path, contestant.method, replicates)
        found.append((replicates, Job(f"calibration of {name}", work)))
    return [job for _, job in sorted(found, key=lambda pair: pair[0])]


def _require_replicates(path: Path, replicates: int) -> None:
    there = json.loads(path.read_text()).get("replicates")
    if there != replicates:
        raise InputError(
            "--workdir", str(path), f"{replicates} replicates, not {there}", "choose an empty one"
        )


def calibrate(path: Path, method: Any, replicates: int) -> None:
    """Ranks of one method's draws."""
    problem = calibration.setting()
    truth, y = calibration.simulate(problem, replicates, seed=1)
    found = calibration.p_values(problem, truth, calibration.method_draws(method, problem, y, seed=3))
    write_json(path, {"replicates": replicates, **found})


def known_ranks(replicates: int) -> dict[str, Any]:
    """Rank statistics of exact draws, and of exact draws with a bias of 5 %."""
    problem, rng = calibration.setting(), np.random.default_rng(0)
    truth, y = calibration.simulate(problem, replicates, seed=2)
    draws = {
        "exact": calibration.exact_draws(problem, y, rng),
        "exact, 5 % off": calibration.biased_draws(problem, y, rng),
    }
    return {
        name: {"replicates": replicates, **calibration.p_values(problem, truth, x)}
        for name, x in draws.items()
    }


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
    workers: int = 1,
) -> dict[str, Any]:
    """The league; returns what ``results.json`` holds."""
    entered = contestants(size.steps, size.per_draw)  # the filters of a calibration have their own number
    unknown = [name for name in names if name not in entered]
    if unknown:
        raise InputError("--methods", unknown[0], f"some of {', '.join(entered)}")
    entered = {name: entered[name] for name in names or entered}
    todo = calibrations(workdir, size, entered) if calibrated else []
    run_jobs([*todo, *jobs(workdir, tasks(dims, measured, problems, list(entered)), size)], workers)
    return conclude(workdir, ranks(workdir, entered) if calibrated else {})


def ranks(workdir: Path, entered: dict[str, Contestant]) -> dict[str, Any]:
    """Of exact draws as many as the power needs, and of all methods."""
    found = {name: json.loads(calibration_path(workdir, name).read_text()) for name in entered}
    return known_ranks(EXACT_REPLICATES) | found


def defined() -> flags.FlagValues:
    """The flags of this command."""
    values = flag_values("runs/league")
    flags.DEFINE_integer("problems", 20, "problems of each cell", lower_bound=1, flag_values=values)
    flags.DEFINE_list("dims", ["8", "80", "800"], "dimensions of x", flag_values=values)
    flags.DEFINE_list("measured", ["1", "2", "4"], "dimensions of y", flag_values=values)
    flags.DEFINE_list("methods", [], "names of contestants; default: all", flag_values=values)
    flags.DEFINE_integer("workers", cores(), "processes, each on its core", 1, flag_values=values)
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
            workers=values.workers,
        )

    return run_command(argv, __doc__, values, work)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
