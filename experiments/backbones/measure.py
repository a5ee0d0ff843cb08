"""How fast each network learns here, its training for so many minutes, and what it has learnt."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.config import build, load_config, override
from score_sde.errors import InputError
from score_sde.evaluation.distances import sliced_wasserstein
from score_sde.evaluation.features import ClassifierFeatures
from score_sde.evaluation.moments import frechet, moments_of
from score_sde.evaluation.report import write_json
from score_sde.experiment import Experiment, evaluate, restore, train
from score_sde.experiment.generation import draw

Plan = dict[str, float]
ROOT = Path(__file__).parents[2]
ENTRANTS = {
    "U-Net": "configs/fashion_mnist.py",
    "DiT": "configs/fashion_mnist_dit.py",
    "modern DiT": "configs/fashion_mnist_dit.py:modern",
    "reversible DiT": "configs/fashion_mnist_dit.py:reversible",
}
LIKELIHOODS = 256  # test images, half as many as the configurations have, to end sooner


class Size(NamedTuple):
    """How much of everything."""

    tiny: bool = False
    paced: int = 10  # updates that are timed in a round
    rounds: int = 5
    samples: int = 500
    seeds: int = 3
    learnt_from: int = 10_000  # examples, by the classifier


FAST = Size(True, 2, 1, 20, 2, 200)


def experiment(name: str, size: Size, steps: int | None = None) -> Experiment:
    """An entrant's configuration, perhaps for another number of updates."""
    file = ENTRANTS[name]
    if size.tiny:
        file = f"{file.partition(':')[0]}:tiny"
    config = load_config(str(ROOT / file))
    if steps is not None:
        override(config, "training.steps", str(steps), "--minutes")
        override(config, "optimizer.schedule.steps", str(steps), "--minutes")
    found: Experiment = build(config)
    loss, likelihood = found.measures[:2]
    images = 16 if size.tiny else LIKELIHOODS
    measures = (loss, dataclasses.replace(likelihood, n_examples=images, batch_size=32))
    return dataclasses.replace(found, measures=measures)


def paces(runs: dict[str, Experiment], size: Size) -> dict[str, float]:
    """Updates a second of each: medians of rounds in which all take turns, as a machine's speed drifts."""
    timers = {name: _timer(run, size.paced) for name, run in runs.items()}
    rounds = [{name: timer() for name, timer in timers.items()} for _ in range(size.rounds)]
    return {name: size.paced / float(np.median([each[name] for each in rounds])) for name in runs}


def _timer(run: Experiment, updates: int) -> Callable[[], float]:
    """Seconds of so many updates, whenever it is called; the first two are done here."""
    state, rebuild = run.make_state()
    step = jax.jit(run.make_step(rebuild), donate_argnums=1)
    batch = jax.tree.map(jnp.asarray, run.data.batches("train", run.training.batch_size, seed=0)[0])

    def seconds(count: int) -> float:
        nonlocal state
        began = time.perf_counter()
        for _ in range(count):
            state, metrics = step(jax.random.key(0), state, batch)
            jax.block_until_ready(metrics)
        return time.perf_counter() - began

    seconds(2)
    return lambda: seconds(updates)


def plan(folders: dict[str, Path], size: Size, minutes: float) -> dict[str, Plan]:
    """Pace and number of updates by name, measured once: a run that goes on must have the same schedule."""
    found = {name: _kept(folder / "plan.json", minutes) for name, folder in folders.items()}
    runs = {name: experiment(name, size) for name, kept in found.items() if kept is None}
    for name, rate in paces(runs, size).items():
        call, steps = runs[name].training.steps_per_call, runs[name].training.steps
        if not size.tiny:
            steps = call * max(1, round(60 * minutes * rate / call))
        found[name] = {"minutes": minutes, "updates_per_second": rate, "updates": steps}
        write_json(folders[name] / "plan.json", found[name])
    return {name: kept for name, kept in found.items() if kept is not None}


def _kept(path: Path, minutes: float) -> Plan | None:
    if not path.exists():
        return None
    found: Plan = json.loads(path.read_text())
    if found["minutes"] != minutes:
        raise InputError(
            "--minutes", minutes, f"{found['minutes']:g}, as {path} has it", "or another --workdir"
        )
    return found


class Judge(NamedTuple):
    """Test data, and what a classifier of training data sees in them."""

    test: np.ndarray
    features: ClassifierFeatures
    moments: Any

    @classmethod
    def of(cls, run: Experiment, size: Size) -> Judge:
        """Of the test split."""
        known = run.data.split("train").first(size.learnt_from).arrays()
        features = ClassifierFeatures.trained(known["x"], known["label"])
        test = run.data.split("test").arrays()["x"]
        return cls(test, features, moments_of(features(test)))

    def __call__(self, x: np.ndarray) -> dict[str, float]:
        """Distances of samples from them."""
        return {
            "frechet": frechet(moments_of(self.features(x)), self.moments),
            "sliced_wasserstein": sliced_wasserstein(x, self.test[: len(x)], np.random.default_rng(0)),
        }


def floor(run: Experiment, judge: Judge, size: Size) -> list[dict[str, float]]:
    """Of as many training images, the last of the split, which the classifier has not seen."""
    x = run.data.split("train").arrays()["x"]
    return [judge(x[-(seed + 1) * size.samples : len(x) - seed * size.samples]) for seed in range(size.seeds)]


def measured(folder: Path, name: str, size: Size, planned: Plan, judge: Judge) -> dict[str, Any]:
    """An entrant's results, read where they are there."""
    path = folder / "result.json"
    if path.exists():
        result: dict[str, Any] = json.loads(path.read_text())
        return result
    run = experiment(name, size, int(planned["updates"]))
    train(dataclasses.replace(run, sampler=None), folder / "run")  # without snapshots
    told = evaluate(run, folder / "run")
    model = restore(run, folder / "run").model
    sets = [_drawn(run, model, seed, size) for seed in range(size.seeds)]
    np.savez_compressed(folder / "samples.npz", samples=sets[0][:100])
    result = {"name": name, **planned, **told, "distances": [judge(x) for x in sets]}
    write_json(path, result)
    return result


def _drawn(run: Experiment, model: Any, seed: int, size: Size) -> np.ndarray:
    return draw(
        jax.random.key(seed),
        sampler=run.require_sampler(),
        model=model,
        data=run.data,
        n=size.samples,
        batch=run.sampling_batch,
        condition=run.condition,
    ).samples
