"""Digits in one step: consistency models, MeanFlow and progressive distillation against a 64-step ODE.

Usage: python -m experiments.few_step.run --workdir=runs/few_step [--fast]

Trains a many-step model (``configs/digits_few_step.py:teacher``) and every few-step variant of that file
below the work directory, all of one network, then draws from each with the same seeds and measures the sliced
Wasserstein distance to digits that none has seen, with 95 % intervals over the seeds, the judge's certainty,
and the distance of the training digits themselves, which is the floor. Writes results.json, table.txt,
distances.png and samples.png; the exit code is 1 if the best model of one step is beyond 1.5 times the
distance of the teacher's ODE in 64 steps of Heun's method. Stopped, the same command goes on. ``--fast`` is a
run of seconds that only shows the way, with the exit code 0.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from experiments.commands import flag_values, run_command


def run(workdir: Path, fast: bool) -> dict[str, Any]:
    """Train, draw, measure and write; the results."""
    from experiments.few_step import measure, report  # after JAX's environment is set
    from score_sde.evaluation.files import replace_file
    from score_sde.evaluation.report import write_json

    sizes = measure.FAST if fast else measure.Sizes()
    results, shown = measure.measure(measure.trained(workdir, sizes), sizes)
    told = f"{report.text(results)}\n{report.verdict(results)}"
    written = [
        write_json(workdir / "results.json", results),
        replace_file(workdir / "table.txt", lambda stream: stream.write(f"{told}\n".encode())),
        report.save_distances(workdir / "distances.png", results),
        report.save_samples(workdir / "samples.png", shown),
    ]
    print(told, *(f"wrote {path}" for path in written), sep="\n")
    return results


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = flag_values("runs/few_step")
    beyond: list[bool] = []

    def work() -> None:
        from experiments.few_step import report

        found = report.best(run(Path(values.workdir), values.fast))
        beyond.append(not values.fast and (found is None or found["ratio"] > report.ALLOWED))

    return run_command(argv, __doc__, values, work) or int(any(beyond))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
