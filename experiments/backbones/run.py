"""A transformer beside a U-Net of as many parameters, on Fashion-MNIST, for equal minutes of training.

Usage: python -m experiments.backbones.run --workdir=runs/backbones [--minutes=20]
       [--entrants="U-Net,DiT,modern DiT,reversible DiT"] [--fast]

Updates a second are measured first, in turns; each network's run is as long as fits into the minutes. Then:
loss and bits per dimension on the test split, Frechet distance (in the features of a small classifier) and
sliced Wasserstein distance of samples from test data, over seeds, beside those of training images. Writes
results.json, table.txt, curves.png and samples.png. Stopped, the same command goes on. Fashion-MNIST is
prepared once, as configs/fashion_mnist.py says; ``--fast`` is a run of seconds on made-up images.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command
from score_sde.errors import InputError, did_you_mean


def defined() -> flags.FlagValues:
    """The flags of this command."""
    values = flag_values("runs/backbones")
    flags.DEFINE_float("minutes", 20.0, "of training, of each network", 0.0, flag_values=values)
    flags.DEFINE_list("entrants", ["U-Net", "DiT"], "which networks", flag_values=values)
    return values


def run(workdir: Path, names: list[str], minutes: float, fast: bool) -> dict[str, Any]:
    """Train, measure and write; the results."""
    from experiments.backbones import measure, report  # after JAX's environment is set
    from score_sde.evaluation.files import replace_file
    from score_sde.evaluation.report import write_json

    for name in names:
        if name not in measure.ENTRANTS:
            remedy = did_you_mean(name, list(measure.ENTRANTS)) or "see --help"
            raise InputError("--entrants", name, f"some of {', '.join(measure.ENTRANTS)}", remedy)
    size = measure.FAST if fast else measure.Size()
    folders = {name: workdir / name.replace(" ", "_") for name in names}
    plans = measure.plan(folders, size, minutes)
    first = measure.experiment(names[0], size)
    judge = measure.Judge.of(first, size)
    rows = []
    for number, (name, folder) in enumerate(folders.items(), start=1):
        print(f"{number}/{len(names)} {name}: training, or finding trained, in {folder}", flush=True)
        rows.append(measure.measured(folder, name, size, plans[name], judge))
    results = {
        "minutes": minutes,
        "samples": size.samples,
        "rows": rows,
        "floor": measure.floor(first, judge, size),
    }
    told = report.text(results)
    runs = {
        row["name"]: (folder / "run" / "metrics.csv", 60 * row["updates"] / max(row["train_seconds"], 1e-9))
        for row, folder in zip(rows, folders.values(), strict=True)
    }
    written = [
        write_json(workdir / "results.json", results),
        replace_file(workdir / "table.txt", lambda stream: stream.write(f"{told}\n".encode())),
        report.save_curves(workdir / "curves.png", runs),
        report.save_samples(workdir / "samples.png", samples(folders)),
    ]
    print(told, *(f"wrote {path}" for path in written), sep="\n")
    return results


def samples(folders: dict[str, Path]) -> dict[str, Any]:
    """Those that each network's folder keeps."""
    import numpy as np

    return {name: np.load(folder / "samples.npz")["samples"] for name, folder in folders.items()}


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = defined()

    def work() -> None:
        run(Path(values.workdir), values.entrants, values.minutes, values.fast)

    return run_command(argv, __doc__, values, work)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
