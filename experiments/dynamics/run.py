"""Systems that evolve in time: score models of short windows beside particles, ensembles and exact smoothers.

Usage: python -m experiments.dynamics.run --workdir=runs/dynamics [--parts=linear,lorenz63] [--seeds=1]
           [--workers=2] [--fast]

Parts: linear (a noisy rotation, with the exact Kalman smoother), lorenz63, lorenz96, kuramoto-sivashinsky and
kolmogorov (64x64); without --parts the first two. Of each, simulated here, two models are trained: of windows
of few states, and of the next state given the last. Windows are composed to trajectories, which are drawn
given few noisy observations; next states are rolled out to forecasts and free runs, and move the particles
of a filter that needs no equation of the system. Writes results.json, table.txt, of every part
PART_forecasts.png, PART_assimilation.png and a film of a forecast ensemble, and of all together crps.png,
ranks.png and spectra.png.

Every part and seed is a file below entries/: stopped, the same command does what is missing. Parts that were
measured before stay in the tables when others are asked for. --fast only shows the way, on the linear part.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command


def run(workdir: pathlib.Path, size: Any, workers: int) -> dict[str, Any]:
    """Measure what is missing, and write tables and pictures; the results."""
    from experiments.dynamics import films, measure, pictures, report  # after JAX's environment is set
    from score_sde.evaluation.files import replace_file
    from score_sde.evaluation.report import write_json

    measure.measure(workdir, size, workers)
    results = report.summarize(workdir, measure.present(workdir))
    parts = list(results["parts"])
    text = report.text(results)
    written = [
        write_json(workdir / "results.json", results),
        replace_file(workdir / "table.txt", lambda stream: stream.write(f"{text}\n".encode())),
    ]
    print(text)
    written += pictures.save_all(workdir, results, parts)
    written += films.save_all(workdir, parts)
    print("\n".join(f"wrote {path}" for path in written))
    return results


def defined() -> flags.FlagValues:
    """The flags of this command."""
    values = flag_values("runs/dynamics")
    flags.DEFINE_list("parts", None, "some of linear, lorenz63, ...; see above", flag_values=values)
    flags.DEFINE_integer("seeds", None, "of each part", 1, flag_values=values)
    flags.DEFINE_integer("workers", None, "processes; default: one for each core", 1, flag_values=values)
    return values


def chosen(values: flags.FlagValues) -> Any:
    """The size that the flags say."""
    from experiments.dynamics import sizes

    make = sizes.fast if values.fast else sizes.full
    size = make(tuple(values.parts)) if values.parts else make()
    if values.seeds is None:
        return size
    return size._replace(amounts={k: each._replace(seeds=values.seeds) for k, each in size.amounts.items()})


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = defined()

    def work() -> None:
        from experiments.workers import cores

        workers = values.workers or (1 if values.fast else cores())
        run(pathlib.Path(values.workdir), chosen(values), workers)

    return run_command(argv, __doc__, values, work)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
