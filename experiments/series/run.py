"""Series in time: forecasts and imputations by score models beside classical ones.

Usage: python -m experiments.series.run --workdir=runs/series [--series="sunspots,co2,el nino"] [--fast]
       python -m experiments.series.run --input=FILE.csv --column=NAME --horizon=24 --season=12

Without --input: sunspots (yearly), carbon dioxide (monthly) and the sea's temperature off Peru (monthly), as
statsmodels ships them. Forecasts 12 values ahead from rolling origins, and values hidden in gaps and in
blocks, by climatology, seasonal-naive, ETS, SARIMA, structural models, a normal law, and score models.
Writes results.json, table.txt, forecasts.png, imputations.png, ranks.png, steps.png and a film of forecasts.
Each way, series and seed is a file below entries/: stopped, the same command does what is missing.

With --input: a column of a CSV, one row for each time, in order. Empty cells (also NA, NaN, -) are missing:
they are imputed. Writes forecast.csv, imputed.csv, forecast.json and forecast.png to --workdir.
  --season       rows of a period; 1 where there is none
  --differences  1 for a series whose level wanders, 0 for one that comes back; left out: the better one
  --scale        none, sqrt or log: the scale that it is modelled on
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command

NAMES = ("sunspots", "co2", "el nino")
SCALES = ("none", "sqrt", "log")


def run(workdir: pathlib.Path, size: Any, workers: int) -> dict[str, Any]:
    """Measure what is missing, and write tables and pictures; the results."""
    from experiments.series import judging, measure, pictures, report
    from score_sde.evaluation.files import replace_file
    from score_sde.evaluation.report import write_json

    entries = measure.measure(workdir, size, workers)
    results = {"size": size, **judging.summarize(workdir, entries, size)}
    written = [write_json(workdir / "results.json", results)]
    text = report.text(results)
    written.append(replace_file(workdir / "table.txt", lambda stream: stream.write(f"{text}\n".encode())))
    print(text)
    written += pictures.save_all(workdir, results, size)
    print("\n".join(f"wrote {path}" for path in written))
    return results


def defined() -> flags.FlagValues:
    """The flags of this command."""
    values = flag_values("runs/series")
    flags.DEFINE_list("series", None, f"some of {', '.join(NAMES)}", flag_values=values)
    flags.DEFINE_integer("seeds", None, "of networks", 1, flag_values=values)
    flags.DEFINE_integer("members", None, "of ensembles", 2, flag_values=values)
    flags.DEFINE_integer("workers", None, "processes; default: one for each core", 1, flag_values=values)
    flags.DEFINE_string("input", None, "a CSV file of your own", flag_values=values)
    flags.DEFINE_string("column", None, "of it; default: the only one of numbers", flag_values=values)
    flags.DEFINE_integer("horizon", 12, "values that are forecast", 1, flag_values=values)
    flags.DEFINE_integer("season", 1, "rows of a period", 1, flag_values=values)
    flags.DEFINE_integer("differences", None, "0 or 1", 0, 1, flag_values=values)
    flags.DEFINE_enum("scale", "none", SCALES, "that models work on", flag_values=values)
    return values


def work(values: flags.FlagValues) -> None:
    """What the flags ask for."""
    workdir = pathlib.Path(values.workdir)
    if values.input is not None:
        from experiments.series import own

        own.forecast(workdir, wanted(values))
        return
    from experiments.series import measure
    from experiments.workers import cores

    size = measure.FAST if values.fast else measure.Size()
    counts = {name: values[name].value for name in ("seeds", "members") if values[name].value is not None}
    sources = {"sources": tuple(values.series)} if values.series else {}
    workers = values.workers or (1 if values.fast else cores())
    run(workdir, size._replace(**counts, **sources), workers)


def wanted(values: flags.FlagValues) -> Any:
    """What is asked of a user's series."""
    from experiments.series.own import Wanted
    from score_sde.series import Recipe

    recipe = Recipe(updates=(20,), copies=4) if values.fast else Recipe()
    return Wanted(
        pathlib.Path(values.input),
        values.column,
        values.horizon,
        values.season,
        values.differences,
        values.scale,
        values.members or (20 if values.fast else 400),
        recipe,
    )


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = defined()
    return run_command(argv, __doc__, values, lambda: work(values))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
