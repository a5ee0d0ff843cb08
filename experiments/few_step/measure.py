"""Training what is measured, and its distances to digits that no model has seen."""

from __future__ import annotations

import dataclasses
import pathlib
import time
from typing import Any, NamedTuple

import jax
import numpy as np
from scipy.stats import t as student

from experiments.few_step.entrants import (
    REFERENCE,
    Entrant,
    entrants,
    experiment,
    folder,
    sampler,
    variants,
)
from score_sde.evaluation.distances import sliced_wasserstein
from score_sde.evaluation.legibility import assess_legibility, train_judge
from score_sde.experiment import Restored, restore, train
from score_sde.experiment.generation import draw
from score_sde.training.conditions import Unconditional

SHOWN = 12  # samples of each entrant in the picture


class Sizes(NamedTuple):
    """How much is done: all of it, or seconds of it."""

    tiny: bool = False
    samples: int = 500
    seeds: int = 5
    names: tuple[str, ...] = ()  # some of the entrants only


FAST = Sizes(True, 20, 2, (REFERENCE, "consistency distillation, 1 step", "MeanFlow, distilled, 1 step",
                           "progressive distillation, 4 steps"))  # fmt: skip


class Subject(NamedTuple):
    """A trained variant."""

    experiment: Any
    restored: Restored


def trained(workdir: pathlib.Path, sizes: Sizes) -> dict[str, Subject]:
    """All variants that are needed, trained in ``workdir`` unless they are there."""
    found = {}
    wanted = {entrant.variant for entrant in chosen(sizes)} | {"teacher"}
    rounds = [name for name in variants() if name.startswith("halved_")]
    last = max((rounds.index(name) for name in wanted if name in rounds), default=-1)
    names = [name for name in variants() if name in wanted or name in rounds[: last + 1]]
    for number, variant in enumerate(names):
        print(f"{number + 1}/{len(names)} {variant or 'improved'}: training, or finding trained", flush=True)
        own, where = experiment(workdir, variant, sizes.tiny), folder(workdir, variant)
        train(dataclasses.replace(own, sampler=None), where)  # without snapshots: pictures come later
        found[variant] = Subject(own, restore(own, where))
    return found


def chosen(sizes: Sizes) -> list[Entrant]:
    """The entrants that these sizes measure."""
    return [each for each in entrants() if not sizes.names or each.name in sizes.names]


def measure(subjects: dict[str, Subject], sizes: Sizes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A row for each entrant, the floor, and a few samples of each, all from the same noise."""
    data = subjects["teacher"].experiment.data
    train_x = data.split("train").arrays()["x"]
    held = np.concatenate([data.split(name).arrays()["x"] for name in ("validation", "test")])
    judge = train_judge(train_x, data.split("train").arrays()["label"])
    rows, shown = [], {}
    listed = chosen(sizes)
    for number, entrant in enumerate(listed):
        begun = time.monotonic()
        sets = [_samples(subjects[entrant.variant], entrant, seed, sizes) for seed in range(sizes.seeds)]
        values = [distance(samples, held) for samples in sets]
        sure = [assess_legibility(judge, samples).confident for samples in sets]
        rows.append(_row(entrant, subjects[entrant.variant], values, sure))
        shown[entrant.name] = sets[0][:SHOWN]
        print(f"{number + 1}/{len(listed)} {entrant.name}: {np.mean(values):.3f} "
              f"({time.monotonic() - begun:.0f} s)", flush=True)  # fmt: skip
    rng, size = np.random.default_rng(0), min(sizes.samples, len(train_x))
    picks = [rng.choice(len(train_x), size, replace=False) for _ in range(sizes.seeds)]
    floor = [distance(train_x[pick], held) for pick in picks]
    results = {"rows": compared(rows), "floor": interval(floor), "samples": sizes.samples, "held": len(held)}
    return results, shown


def distance(x: np.ndarray, y: np.ndarray) -> float:
    """Sliced Wasserstein distance in levels of grey, always along the same 500 directions."""
    return sliced_wasserstein(x, y, np.random.default_rng(0))


def interval(values: list[float]) -> dict[str, Any]:
    """Mean, and half the width of its 95 % interval over seeds (Student's t)."""
    n = len(values)
    half = float(student.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else None
    return {"mean": float(np.mean(values)), "half_width": half, "values": [float(value) for value in values]}


def compared(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with their distance over the reference's."""
    (base,) = (row["distance"]["mean"] for row in rows if row["name"] == REFERENCE)
    return [row | {"ratio": row["distance"]["mean"] / base} for row in rows]


def _row(entrant: Entrant, subject: Subject, values: list[float], sure: list[float]) -> dict[str, Any]:
    return {
        "name": entrant.name,
        "taught": entrant.taught,
        "evaluations": sampler(entrant, subject.experiment).evaluations,  # type: ignore[attr-defined]
        "distance": interval(values),
        "confident": float(np.mean(sure)),
        "updates": subject.restored.step,
        "train_seconds": subject.restored.train_seconds,
    }


def _samples(subject: Subject, entrant: Entrant, seed: int, sizes: Sizes) -> np.ndarray:
    """The same seed is the same noise for all entrants."""
    return draw(
        jax.random.fold_in(jax.random.key(3), seed),
        sampler=sampler(entrant, subject.experiment),
        model=subject.restored.model,
        data=subject.experiment.data,
        n=sizes.samples,
        batch=sizes.samples,
        condition=Unconditional(),
    ).samples
