"""Reversible towers beside ordinary ones: memory, time, errors of rebuilt activations, models of digits.

Usage: python -m experiments.reversible.run --workdir=runs/reversible [--parts=memory,speed,errors,training]
    [--fast]

A DiT's training step (loss and gradient) with its blocks written out, in a loop, computed again (each, or in
groups) and reversible: what XLA says that it allocates, by how much a process grows that makes one, and how
long it takes; how far rebuilt activations and their gradients are from those of ordinary differentiation;
loss and bits/dim of digits by transformers and U-Nets of both kinds. Writes a file for each part,
results.json, table.txt and reversible.png; the exit code is 1 if a target is missed. Stopped, the same
command goes on.
``--fast`` is a run of a minute that only shows the way, with the exit code 0.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command
from score_sde.errors import InputError

PARTS = ("memory", "speed", "errors", "training")


def run(workdir: Path, fast: bool, parts: Sequence[str] = PARTS) -> dict[str, Any]:
    """Measure what is missing and write; all that is there."""
    from experiments.reversible import measure, report, training  # after JAX's environment is set
    from score_sde.evaluation.files import replace_file
    from score_sde.evaluation.report import write_json

    amount = measure.FAST if fast else measure.Amount()
    work: dict[str, Callable[[], Any]] = {
        "memory": lambda: measure.memory(amount, workdir),
        "speed": lambda: measure.speed(amount),
        "errors": lambda: measure.errors(amount),
        "training": lambda: training.trained(amount, workdir),
    }
    for name in parts:
        path = workdir / f"{name}.json"
        if not path.exists():
            write_json(path, {name: work[name]()})
    found = {name: workdir / f"{name}.json" for name in PARTS}
    results = {name: json.loads(path.read_text())[name] for name, path in found.items() if path.exists()}
    told = report.text(results)
    figures = {"figures": report.figures(results)} if report.judged(results) else {}
    written = [
        write_json(workdir / "results.json", results | figures),
        replace_file(workdir / "table.txt", lambda stream: stream.write(f"{told}\n".encode())),
    ]
    if report.judged(results):
        written.append(report.save_picture(workdir / "reversible.png", results))
    print(told, *(f"wrote {path}" for path in written), sep="\n")
    return results


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = flag_values("runs/reversible")
    flags.DEFINE_list("parts", list(PARTS), "which of them to measure", flag_values=values)
    missed: list[str] = []

    def work() -> None:
        unknown = [name for name in values.parts if name not in PARTS]
        if unknown:
            raise InputError("--parts", unknown[0], f"some of {', '.join(PARTS)}")
        results = run(Path(values.workdir), values.fast, values.parts)
        from experiments.reversible.report import judged, verdicts

        if judged(results) and not values.fast:
            missed.extend(line for line in verdicts(results) if "MISSED" in line)

    return run_command(argv, __doc__, values, work) or int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
