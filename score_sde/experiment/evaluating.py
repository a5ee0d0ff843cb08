"""Evaluating a trained experiment: every measure of its configuration, as JSON and as a table."""

from __future__ import annotations

import pathlib
from typing import Any

from score_sde.evaluation.plots import save_ladder, save_training_curves
from score_sde.evaluation.report import table, with_error, write_json
from score_sde.experiment.base import Experiment, restore
from score_sde.experiment.generation import Drawn, draw
from score_sde.experiment.measures.base import Subject


def evaluate(experiment: Experiment, workdir: str | pathlib.Path) -> dict[str, Any]:
    """Run ``experiment.measures``; write ``eval/results.json`` and pictures, print a table.

    Raises:
        InputError: no checkpoint, or one that does not fit; data that a measure cannot use.
    """
    folder = pathlib.Path(workdir) / "eval"
    restored = restore(experiment, pathlib.Path(workdir))
    subject = _subject(experiment, restored.model, folder)
    results: dict[str, Any] = {
        "step": restored.step,
        "parameters": restored.parameters,
        "train_seconds": restored.train_seconds,
    }
    rows: list[tuple[str, float, float | None, str]] = []
    for measure in experiment.measures:
        measured = measure(subject)
        results |= measured.values
        rows += measured.rows
        write_json(folder / "results.json", results)  # a later measure that fails loses nothing
    _pictures(folder, results, pathlib.Path(workdir) / "metrics.csv")
    cells = [(name, with_error(value, error), note) for name, value, error, note in rows]
    print(table(("measure", "value", "note"), cells))
    print(f"wrote {folder / 'results.json'}")
    return results


def _pictures(folder: pathlib.Path, results: dict[str, Any], metrics: pathlib.Path) -> None:
    """The ladder with the model in it, where both were measured, and the training curve."""
    if metrics.is_file():
        save_training_curves(folder / "training.png", metrics)
    if "baselines" in results and "bits_per_dim" in results:
        stderr = results["baselines_stderr"]
        rungs = {name: (mean, stderr[name]) for name, mean in results["baselines"].items()}
        rungs["our model"] = (results["bits_per_dim"], results["bits_per_dim_stderr"])
        save_ladder(folder / "ladder.png", rungs, highlight="our model")


def _subject(experiment: Experiment, model: Any, folder: pathlib.Path) -> Subject:
    def report(line: str) -> None:
        print(line, flush=True)

    def samples(key: Any, n: int) -> Drawn:
        return draw(
            key,
            sampler=experiment.require_sampler(),
            model=model,
            data=experiment.data,
            n=n,
            batch=experiment.sampling_batch,
            condition=experiment.condition,
            report=report,
        )

    folder.mkdir(parents=True, exist_ok=True)
    return Subject(
        model=model,
        data=experiment.data,
        objective=experiment.objective,
        condition=experiment.condition,
        draw=samples,
        folder=folder,
        seed=experiment.seed,
        report=report,
    )
