"""Work against precision: the distance of samples from test data against evaluations of the model.

Usage: python -m experiments.work_precision.run --workdir=runs/work_precision [--digits=RUN]
       [--fashion_mnist=RUN] [--solvers="DDIM;UniPC(terms=2)"] [--fast]

Every predictor of the package, predictor-correctors, Restart, and the adaptive solvers, on an exact mixture,
on the model of configs/digits.py (trained in WORKDIR/runs/digits unless --digits names the directory of a
finished run) and, where --fashion_mnist names one, on that of configs/fashion_mnist.py. Sliced Wasserstein
distance, MMD and the Frechet distance in a classifier's features, with 95 % intervals over seeds, beside the
floor.

Writes results.json, table.txt and work_precision.png, and prints at how many evaluations the first solver is
within 5 % of the predictor-corrector's distance at 1000. Every result is a file below results/: stopped, the
same command does what is missing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command
from experiments.workers import cores, run_jobs
from score_sde.errors import InputError


def defined() -> flags.FlagValues:
    """The flags of this command."""
    values = flag_values("runs/work_precision")
    flags.DEFINE_string("digits", None, "a finished run of configs/digits.py", flag_values=values)
    flags.DEFINE_string("fashion_mnist", None, "one of configs/fashion_mnist.py", flag_values=values)
    flags.DEFINE_list("subjects", None, "some of mixture, digits, fashion_mnist", flag_values=values)
    flags.DEFINE_string("solvers", "", "names of solvers, separated by semicolons; default: all",
                        flag_values=values)  # fmt: skip
    flags.DEFINE_integer("workers", cores(), "processes, each on its core", 1, flag_values=values)
    return values


def chosen(values: flags.FlagValues) -> dict[str, Path | None]:
    """The subjects and the directories of their runs."""
    given = {"digits": values.digits, "fashion_mnist": values.fashion_mnist}
    names = values.subjects or ["mixture", "digits", *(["fashion_mnist"] if values.fashion_mnist else [])]
    for name in names:
        if name not in ("mixture", *given):
            raise InputError("--subjects", name, "some of mixture, digits, fashion_mnist")
    for name, run in given.items():
        if run and not (Path(run) / "checkpoints").is_dir():
            remedy = f"python -m score_sde.main --mode=train --config=configs/{name}.py --workdir={run}"
            raise InputError(f"--{name}", run, "the directory of a finished run", remedy)
    if "fashion_mnist" not in names:
        print(
            "Fashion-MNIST is left out: name a run by --fashion_mnist=RUN, made in half an hour by\n"
            "python -m score_sde.main --mode=train --config=configs/fashion_mnist.py --workdir=RUN"
        )
    default = Path(values.workdir) / "runs"
    return {name: None if name == "mixture" else Path(given[name] or default / name) for name in names}


def run(workdir: Path, subjects: dict[str, Path | None], size: Any, workers: int) -> dict[str, Any]:
    """Measure what is missing, and write tables and picture; the results."""
    from experiments.work_precision import measure  # after JAX's environment is set
    from experiments.work_precision import subjects as of

    todo, accuracy = [], {}
    for subject, path in subjects.items():
        amounts = size.amounts(subject)
        if path is None:
            judge = of.judge_mixture(amounts)
        else:  # a run that was named is taken as it is, whatever its number of updates
            own = path == workdir / "runs" / subject
            experiment = (of.trained if own else of.named)(subject, size.variant, path)
            judge = of.judge_data(experiment, amounts)
        accuracy[subject] = judge.accuracy
        todo += measure.jobs(workdir, subject, judge, path, size)
    run_jobs([job for _, job in sorted(todo, key=lambda pair: -pair[0])], workers)
    return conclude(workdir, list(subjects), size, accuracy)


def conclude(workdir: Path, subjects: list[str], size: Any, accuracy: dict[str, float]) -> dict[str, Any]:
    """Tables, picture, verdict and JSON of all that is in ``workdir``."""
    from experiments.work_precision import report
    from score_sde.evaluation.files import replace_file
    from score_sde.evaluation.report import write_json

    rows = {subject: report.read_rows(workdir / "results" / subject) for subject in subjects}
    found = {
        subject: {metric: report.verdict(of, metric, size.reference) for metric in report.METRICS}
        for subject, of in rows.items()
    }
    results = {"size": size, "classifier_accuracy": accuracy, "verdict": found, "rows": rows}
    write_json(workdir / "results.json", results)
    sections, lines = [], []
    for subject, of in rows.items():
        for metric in report.METRICS:
            sections.append(f"{subject}, {metric}\n{report.text(of, size.counts(subject), metric)}")
            lines.append(report.sentence(subject, metric, found[subject][metric]))
    text = "\n\n".join([*sections, "\n".join(lines)])
    replace_file(workdir / "table.txt", lambda stream: stream.write(f"{text}\n".encode()))
    report.save_plot(workdir / "work_precision.png", rows, size.reference)
    print(text)
    return results


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = defined()

    def work() -> None:
        from experiments.work_precision.sizes import FAST, Size

        size = FAST if values.fast else Size()
        names = tuple(name.strip() for name in values.solvers.split(";") if name.strip())
        size = size._replace(names=names) if names else size
        run(Path(values.workdir), chosen(values), size, values.workers)

    return run_command(argv, __doc__, values, work)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
