"""Restoring real images: every method beside a trivial estimate and a normal law, in PSNR, SSIM and coverage.

Usage: python -m experiments.restoration.run --workdir=runs/restoration [--runs=runs] [--data=digits,patches]

Hides half of digits and of Fashion-MNIST's images, shrinks them 2 and 4 times, blurs them, and takes the
colours of patches of photographs, always with noise of standard deviation 0.05; then draws from the posterior
with the models of configs/digits.py, configs/fashion_mnist.py and configs/patches.py, which are trained in
--runs/NAME unless they are there. Fashion-MNIST has to be prepared first (its configuration says how).

Writes results.json, table.txt, restoration.png and a sheet of pictures for each task. Every entry of the
table is a file below entries/: stopped, the same command does what is missing.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command

COUNTS = ("images", "samples", "steps")


def defined() -> flags.FlagValues:
    """The flags of this command."""
    values = flag_values("runs/restoration")
    flags.DEFINE_string("runs", None, "trained models; default: runs below --workdir", flag_values=values)
    flags.DEFINE_list("data", None, "some of digits, patches, fashion_mnist", flag_values=values)
    flags.DEFINE_list("methods", None, "some methods only", flag_values=values)
    flags.DEFINE_integer("images", None, "test images of each task", 2, flag_values=values)
    flags.DEFINE_integer("samples", None, "draws of each image", 2, flag_values=values)
    flags.DEFINE_integer("steps", None, "steps of the sampler", 1, flag_values=values)
    return values


def run(workdir: pathlib.Path, runs: pathlib.Path, size: Any) -> dict[str, Any]:
    """Measure what is missing, and write tables and pictures; the results."""
    from experiments.restoration import measure, report, sheets  # after JAX's environment is set
    from score_sde.evaluation.files import replace_file
    from score_sde.evaluation.report import write_json

    entries = measure.measure(workdir, runs, size)
    points = report.summarize(workdir, entries)
    results = {"size": measure.amount(size), "noise": measure.NOISE, "points": points}
    write_json(workdir / "results.json", results)
    text = report.text(points)
    replace_file(workdir / "table.txt", lambda stream: stream.write(f"{text}\n".encode()))
    print(text)
    written = [workdir / "results.json", workdir / "table.txt"]
    written.append(report.save_plot(workdir / "restoration.png", points))
    written += sheets.save_sheets(workdir, entries, points)
    print("\n".join(f"wrote {path}" for path in written))
    return results


def chosen(values: flags.FlagValues) -> Any:
    """The size that the flags say."""
    from experiments.restoration import measure

    size = measure.FAST if values.fast else measure.Size()
    counts = {name: values[name].value for name in COUNTS if values[name].value is not None}
    names = {name: tuple(values[name].value) for name in ("data", "methods") if values[name].value}
    return size._replace(**counts, **names)


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = defined()

    def work() -> None:
        workdir = pathlib.Path(values.workdir)
        run(workdir, pathlib.Path(values.runs or workdir / "runs"), chosen(values))

    return run_command(argv, __doc__, values, work)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
