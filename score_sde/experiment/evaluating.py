"""Evaluating a trained experiment: every measure of its configuration, as JSON and as a table."""

from __future__ import annotations

import pathlib
from typing import Any

from score_sde.evaluation.report import table, with_error, write_json
from score_sde.experiment.base import Experiment, restore
from score_sde.experiment.generation import draw
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
    write_json(folder / "results.json", results)
    cells = [(name, with_error(value, error), note) for name, value, error, note in rows]
    print(table(("measure", "value", "note"), cells))
    print(f"wrote {folder / 'results.json'}")
    return results


def _subject(experiment: Experiment, model: Any, folder: pathlib.Path) -> Subject:
    def report(line: str) -> None:
        print(line, flush=True)

    def samples(key: Any, n: int) -> Any:
        return draw(
            key,
            sampler=experiment.sampler,
            model=model,
            data=experiment.data,
            n=n,
            batch=experiment.sampling_batch,
            report=report,
        )

    folder.mkdir(parents=True, exist_ok=True)
    return Subject(
        model=model,
        data=experiment.data,
        objective=experiment.objective,
        draw=samples,
        folder=folder,
        seed=experiment.seed,
        report=report,
    )
