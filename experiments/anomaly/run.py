"""Finding anomalies: scores of diffusion models beside classical detectors, on tables and on images.

Usage: python -m experiments.anomaly.run --workdir=runs/anomaly [--runs=DIR] [--parts=tables,unseen,images]

Tables: breast cancer, wine and digits of scikit-learn, and simulated intrusions and card frauds; detectors
learn from half of the normal rows. Unseen: five more choices of what is normal in tables of scikit-learn,
which no score was chosen by, for detectors without a network. Images: Fashion-MNIST without one class,
shrunk to 14x14; anomalies are that class, digits, negatives, shuffled pixels and faint images. Fashion-MNIST
has to be prepared first, as configs/fashion_mnist.py says; its models are trained in --runs unless they are
there.

Writes results.json, table.txt, tables.png, unseen.png, images.png and likelihood.png. Every table and seed,
and every way to score images, is a file below entries/: stopped, the same command does what is missing.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command

COUNTS = ("seeds", "trained", "first", "steps", "image_steps", "images")


def defined() -> flags.FlagValues:
    """The flags of this command."""
    values = flag_values("runs/anomaly")
    flags.DEFINE_string("runs", None, "trained models; default: runs below --workdir", flag_values=values)
    flags.DEFINE_list("parts", None, "some of tables, unseen, images", flag_values=values)
    flags.DEFINE_integer("seeds", None, "splits of each table", 2, flag_values=values)
    flags.DEFINE_integer("trained", None, "of the splits, to train networks on", 0, flag_values=values)
    flags.DEFINE_integer("first", None, "the first seed of tables", 0, flag_values=values)
    flags.DEFINE_integer("steps", None, "updates on a table", 1, flag_values=values)
    flags.DEFINE_integer("image_steps", None, "updates on images, a multiple of 20", 20, flag_values=values)
    flags.DEFINE_integer("images", None, "test images of each kind", 10, flag_values=values)
    return values


def run(workdir: pathlib.Path, runs: pathlib.Path, size: Any) -> dict[str, Any]:
    """Measure what is missing, and write tables and pictures; the results."""
    from experiments.anomaly import measure, report  # after JAX's environment is set
    from score_sde.evaluation.files import replace_file
    from score_sde.evaluation.report import write_json

    entries = measure.measure(workdir, runs, size)
    results = {"size": size, **report.summarize(workdir, entries)}
    write_json(workdir / "results.json", results)
    text = report.text(results)
    replace_file(workdir / "table.txt", lambda stream: stream.write(f"{text}\n".encode()))
    print(text)
    written = [workdir / "results.json", workdir / "table.txt"]
    written += report.save_plots(workdir, results, entries)
    print("\n".join(f"wrote {path}" for path in written))
    return results


def chosen(values: flags.FlagValues) -> Any:
    """The size that the flags say."""
    from experiments.anomaly import sizes

    size = sizes.FAST if values.fast else sizes.Size()
    counts = {name: values[name].value for name in COUNTS if values[name].value is not None}
    parts = {"parts": tuple(values.parts)} if values.parts else {}
    return size._replace(**counts, **parts)


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = defined()

    def work() -> None:
        workdir = pathlib.Path(values.workdir)
        run(workdir, pathlib.Path(values.runs or workdir / "runs"), chosen(values))

    return run_command(argv, __doc__, values, work)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
