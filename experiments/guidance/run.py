"""Guidance measured: class accuracy, precision and recall of digits against the scale of each method.

``python -m experiments.guidance.run --workdir=runs/guidance`` trains what it needs below the work directory
(configs/digits_conditional.py, the same for a tenth of the time, and configs/digits_classifier.py), draws,
judges, prints a table and writes results.json, curves.png and a grid of samples for each method and scale.
Stopped, the same command goes on. ``--fast`` is a run of seconds that only shows the way.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command

COLUMNS = ("accuracy", "confident", "precision", "recall", "frechet")


def run(workdir: pathlib.Path, fast: bool) -> dict[str, Any]:
    """Train, draw, judge and write; the results."""
    from experiments.guidance import curves, pictures  # after JAX's environment is set
    from score_sde.evaluation.report import table

    sizes = curves.FAST if fast else curves.Sizes()
    models = curves.trained_models(workdir, sizes)
    results = curves.measure(models, sizes, workdir / "results.json", workdir / "samples")
    rows: list[tuple[Any, ...]] = [
        (point["method"], f"{point['scale']:g}", *(point[name] for name in COLUMNS))
        for point in results["points"]
    ]
    rows.append(("real digits", "", *(results["real"][name] for name in COLUMNS)))
    print(table(("method", "scale", *COLUMNS), rows))
    written = [pictures.save_curves(workdir / "curves.png", results)]
    written += pictures.save_grids(workdir, results)
    print("\n".join(f"wrote {path}" for path in [workdir / "results.json", *written]))
    return results


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = flag_values("runs/guidance")
    return run_command(argv, __doc__, values, lambda: _run(values))


def _run(values: flags.FlagValues) -> None:
    """What the flags ask for."""
    run(pathlib.Path(values.workdir), values.fast)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
