"""Cleaning noisy data: a folder of your own files, or how well it is done on images, signals and mixtures.

Usage: python -m experiments.denoise.run --input=FOLDER [--workdir=runs/denoise] [--noise=normal|photons]
           [--std=NUMBER] [--draws=COUNT] [--runs=DIR]
       python -m experiments.denoise.run --workdir=runs/denoise [--runs=DIR] [--data=mixture,signals] [--fast]

With --input: cleans the PNG, npy, csv and wav files of the folder into WORKDIR/cleaned, files of the same
names, with report.json and report.txt beside them. The noise's standard deviation is estimated from each file
unless --std gives it, in the file's own units. Images (PNG, npy of 2 axes or of 3 with 1 or 3 channels) are
cleaned with the model of experiments/denoise/photographs.py, which is trained once, in minutes, in
--runs/denoise_photographs unless it is there; --noise=photons estimates noise that grows with brightness;
--draws writes so many draws of what each image may have been. Signals (npy of 1 axis or of fewer than 12
columns, columns of csv, channels of wav) are cleaned in seconds by what is learnt from the noisy file itself.
A file that cannot be cleaned is told in one line and the others go on; the exit code then is 2.

Without --input: measures normal noise of 15, 25 and 50 of 255 levels and noise of photons on photographs, the
former on Fashion-MNIST (which has to be prepared, see configs/fashion_mnist.py), against non-local means,
wavelets, total variation, the bilateral filter, BM3D where its package is installed, and normal laws; signals
against wavelets and total variation; and the gap to the least squared error on mixtures, where it is known.
Writes results.json, table.txt, denoise.png, signals.png and a sheet of pictures for each kind of image. Every
entry is a file below entries/: stopped, the same command does what is missing. --fast shows the way in
about a minute, with models that have learnt nothing.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command

COUNTS = ("images", "steps", "seeds")
NOISES = ("normal", "photons")


def defined() -> flags.FlagValues:
    """The flags of this command."""
    values = flag_values("runs/denoise")
    flags.DEFINE_string("runs", None, "trained models; default: runs below --workdir", flag_values=values)
    flags.DEFINE_string("input", None, "a folder, or one file, to clean", flag_values=values)
    flags.DEFINE_enum("noise", "normal", NOISES, "of the input", flag_values=values)
    flags.DEFINE_float("std", None, "of the input's noise, in its units", flag_values=values)
    flags.DEFINE_integer("draws", None, "draws of each image", 1, flag_values=values)
    flags.DEFINE_list(
        "data", None, "some of mixture, signals, photographs, fashion_mnist", flag_values=values
    )
    flags.DEFINE_integer("images", None, "test images of each kind", 2, flag_values=values)
    flags.DEFINE_integer("steps", None, "steps of the sampler", 1, flag_values=values)
    flags.DEFINE_integer("seeds", None, "seeds of mixtures", 2, flag_values=values)
    return values


def run(workdir: pathlib.Path, runs: pathlib.Path, size: Any) -> dict[str, Any]:
    """Measure what is missing, and write tables and pictures; the results."""
    from experiments.denoise import measure, report  # after JAX's environment is set
    from experiments.denoise.classical import BM3D, available
    from score_sde.evaluation.files import replace_file
    from score_sde.evaluation.report import write_json

    if BM3D not in available():
        print("BM3D is left out: its package is not installed (pip install bm3d; not for commercial use)")
    entries = measure.measure(workdir, runs, size)
    points = report.summarize(workdir, entries)
    results = {"size": measure.amount(size), "points": points}
    write_json(workdir / "results.json", results)
    text = report.text(points)
    replace_file(workdir / "table.txt", lambda stream: stream.write(f"{text}\n".encode()))
    print(text)
    written = [workdir / "results.json", workdir / "table.txt"]
    written.append(report.save_plot(workdir / "denoise.png", points))
    if measure.SIGNALS in size.data:
        written.append(report.save_waves(workdir / "signals.png", workdir, entries, points))
    written += report.save_sheets(workdir, entries, points)
    print("\n".join(f"wrote {path}" for path in written))
    return results


def chosen(values: flags.FlagValues) -> Any:
    """The size that the flags say."""
    from experiments.denoise import measure

    size = measure.FAST if values.fast else measure.Size()
    counts = {name: values[name].value for name in COUNTS if values[name].value is not None}
    if values.draws is not None:
        counts["draws"] = max(values.draws, 2)
    return size._replace(**counts, **({"data": tuple(values.data)} if values.data else {}))


def clean(values: flags.FlagValues, workdir: pathlib.Path, runs: pathlib.Path) -> int:
    """Clean the user's files; the number of those that could not be."""
    from experiments.denoise.clean import clean_all
    from experiments.denoise.pictures import Job

    job = Job(
        noise=values.noise,
        std=values.std,
        draws=values.draws or 0,
        steps=values.steps or 50,
        variant="tiny" if values.fast else "",
    )
    return clean_all(pathlib.Path(values.input), workdir / "cleaned", runs, job)


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values, failed = defined(), 0

    def work() -> None:
        nonlocal failed
        workdir = pathlib.Path(values.workdir)
        runs = pathlib.Path(values.runs or workdir / "runs")
        if values.input is None:
            run(workdir, runs, chosen(values))
        else:
            failed = clean(values, workdir, runs)

    return run_command(argv, __doc__, values, work) or (2 if failed else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
