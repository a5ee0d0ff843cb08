"""Class accuracy, fidelity and diversity of guided samples, a point for each method and scale."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from score_sde.config import build, load_config, override
from score_sde.evaluation.distances import frechet_distance, precision_recall
from score_sde.evaluation.legibility import assess_legibility, train_judge
from score_sde.evaluation.report import write_json
from score_sde.experiment import Experiment, restore, train
from score_sde.experiment.generation import draw
from score_sde.guidance import Autoguided, ClassifierFree, ClassifierGuided, LimitedInterval, Unlabelled

MODEL, CLASSIFIER = "configs/digits_conditional.py", "configs/digits_classifier.py"
BATCH = 100  # samples at once
INTERVAL = (0.2, 3.0)  # of sigma / alpha, for the limited one

Change = Callable[[Any], Any]


class Sizes(NamedTuple):
    """How much is done: all of it, or seconds of it."""

    variant: str = ""
    samples: int = 500
    steps: int = 50
    weaker: int = 400  # updates of the model that autoguidance goes away from; 0 for the model itself
    scales: int | None = None  # how many of each curve
    methods: tuple[str, ...] = ()  # some of them only


FAST = Sizes("tiny", 20, 3, weaker=0, scales=1, methods=("classifier", "classifier-free in an interval"))


class Models(NamedTuple):
    """What is guided, and by what."""

    experiment: Experiment
    model: Any
    classifier: Any
    weaker: Any


def trained_models(workdir: pathlib.Path, sizes: Sizes) -> Models:
    """The three models, trained in ``workdir`` unless they are there."""
    experiment, model = _trained(MODEL, workdir / "conditional", sizes)
    _, classifier = _trained(CLASSIFIER, workdir / "classifier", sizes)
    if not sizes.weaker:
        return Models(experiment, model, classifier, model)
    changes = {"training.steps": sizes.weaker, "optimizer.schedule.steps": sizes.weaker}
    _, weaker = _trained(MODEL, workdir / "weaker", sizes, changes)
    return Models(experiment, model, classifier, weaker)


def _trained(
    file: str, workdir: pathlib.Path, sizes: Sizes, changes: dict[str, int] | None = None
) -> tuple[Experiment, Any]:
    root = pathlib.Path(__file__).parents[2]
    config = load_config(f"{root / file}:{sizes.variant}" if sizes.variant else str(root / file))
    for field, steps in (changes or {}).items():
        override(config, field, str(steps))
    experiment = build(config)
    print(f"{file}: training, or finding trained, in {workdir}", flush=True)
    train(dataclasses.replace(experiment, sampler=None), workdir)  # without snapshots: grids come later
    return experiment, restore(experiment, workdir).model


def curves(models: Models) -> dict[str, tuple[tuple[float, ...], Callable[[float], Change]]]:
    """Scales of each method, and the change of the model that a scale means."""
    classes = models.experiment.data.n_classes
    low, high = INTERVAL

    def by_classifier(temperature: float) -> Callable[[float], Change]:
        def at(scale: float) -> Change:
            return lambda model: ClassifierGuided.of(
                Unlabelled.of(model, classes), models.classifier, scale, temperature
            )

        return at

    def free(scale: float) -> Change:
        return lambda model: ClassifierFree.of(model, scale, classes)

    return {
        "classifier": ((0.0, 0.5, 1.0, 2.0, 4.0, 8.0), by_classifier(1.0)),
        "classifier, temperature 0.5": ((0.5, 1.0, 2.0, 4.0), by_classifier(0.5)),
        "classifier-free": ((0.0, 1.0, 1.5, 2.0, 3.0, 5.0), free),
        "classifier-free in an interval": (
            (1.5, 2.0, 3.0, 5.0),
            lambda scale: lambda model: LimitedInterval.of(free(scale)(model), model, low, high),
        ),
        "autoguidance": (
            (1.5, 2.0, 3.0),
            lambda scale: lambda model: Autoguided.of(model, models.weaker, scale),
        ),
    }


def measure(models: Models, sizes: Sizes, file: pathlib.Path, folder: pathlib.Path) -> dict[str, Any]:
    """All points, written to ``file`` one after the other; those that are there are kept.

    Of each point the samples go to ``folder``, as ``METHOD_SCALE.npz``.
    """
    found = json.loads(file.read_text()) if file.is_file() else {}
    settings = json.loads(json.dumps({"sizes": sizes._asdict(), "interval": INTERVAL}))
    if found.get("settings") != settings:
        found = {"settings": settings, "points": []}
    judged = Judged(models.experiment)
    found["real"] = judged.real
    done = {(point["method"], point["scale"]) for point in found["points"]}
    wanted = [
        (name, scale, change)
        for name, (scales, change) in curves(models).items()
        for scale in scales[: sizes.scales]
        if not sizes.methods or name in sizes.methods
    ]
    left, began = [point for point in wanted if point[:2] not in done], time.perf_counter()
    for i, (name, scale, change) in enumerate(left):
        start = time.perf_counter()
        samples, labels = _draw(models, sizes, change(scale))
        seconds = time.perf_counter() - start
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder / f"{file_name(name)}_{scale:g}.npz", samples=samples, labels=labels)
        point = {"method": name, "scale": scale, **judged(samples, labels), "seconds": seconds}
        found["points"].append(point)
        write_json(file, found)
        rest = (time.perf_counter() - began) / (i + 1) * (len(left) - i - 1)
        print(f"{name}, scale {scale:g}: accuracy {point['accuracy']:.3f}; {rest:.0f} s left", flush=True)
    order = [point[:2] for point in wanted]
    found["points"].sort(key=lambda point: order.index((point["method"], point["scale"])))
    write_json(file, found)
    return found


def file_name(method: str) -> str:
    """A method's name as part of a file's."""
    return method.replace(", ", "_").replace(" ", "_")


def _draw(models: Models, sizes: Sizes, change: Change) -> tuple[np.ndarray, np.ndarray]:
    """The same noise and labels for every method and scale, so that they differ by guidance alone."""
    drawn = draw(
        jax.random.fold_in(jax.random.key(models.experiment.seed), 3),
        sampler=models.experiment.sampler.replace(n_steps=sizes.steps),  # type: ignore[union-attr]
        model=change(models.model),
        data=models.experiment.data,
        n=sizes.samples,
        batch=min(BATCH, sizes.samples),
        condition=models.experiment.condition,
    )
    return drawn.samples, np.asarray(drawn.cond)


class Judged:
    """Numbers of a set of samples; ``real`` are those of held-out digits, the same way."""

    def __init__(self, experiment: Experiment) -> None:
        train, validation, test = (experiment.data.split(n).arrays() for n in ("train", "validation", "test"))
        self.reference = train["x"]
        print("judge: training", flush=True)
        self.judge = train_judge(train["x"], train["label"])
        held = [np.concatenate([part[name] for part in (validation, test)]) for name in ("x", "label")]
        self.real = self(*held) | {"samples": len(held[0])}

    def __call__(self, samples: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """By name; distances are between pixels, to the training digits."""
        read = assess_legibility(self.judge, samples, labels)
        near = precision_recall(self.reference, samples)
        accuracy = float(read.accuracy or 0.0)
        return {
            "accuracy": accuracy,
            "accuracy_stderr": float(np.sqrt(accuracy * (1 - accuracy) / len(samples))),
            "confident": read.confident,
            "precision": near.precision,
            "recall": near.recall,
            "frechet": frechet_distance(samples, self.reference),
        }
