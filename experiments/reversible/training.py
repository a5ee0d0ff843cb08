"""Digits by transformers and U-Nets, with ordinary and with reversible towers: the same runs, by seeds."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

from experiments.few_step.measure import interval
from experiments.reversible.measure import Amount
from experiments.workers import Job, cores, run_jobs
from score_sde.config import build, load_config, override
from score_sde.evaluation.report import write_json
from score_sde.experiment import Experiment, evaluate, train
from score_sde.experiment.measures import Likelihood, Loss

ROOT = Path(__file__).parents[2]
RUNS = {  # name: file of configs/, and variant
    "DiT": ("digits_dit.py", ""),
    "DiT, reversible": ("digits_dit.py", "reversible"),
    "U-Net of towers": ("digits_reversible.py", "unrolled"),
    "U-Net, reversible": ("digits_reversible.py", ""),
}
TINY = {  # of the transformers
    "network.width": 16,
    "network.depth": 2,
    "training.steps_per_call": 1,
    "training.log_every": 1,
    "training.snapshot_every": 4,
}
MEASURED = ("loss", "bits_per_dim", "train_seconds")


def experiment(name: str, seed: int, amount: Amount) -> Experiment:
    """A run of ``amount.updates``; of the tiny sizes where that is meant."""
    file, variant = RUNS[name]
    config = load_config(f"{ROOT / 'configs' / file}:{variant}" if variant else str(ROOT / "configs" / file))
    lengths = ("training.steps", "training.checkpoint_every", "optimizer.schedule.steps")
    changes = {"seed": seed, **dict.fromkeys(lengths, amount.updates)} | (TINY if amount.tiny else {})
    for path, value in changes.items():
        override(config, path, str(value))
    built = build(config)
    kept = tuple(each for each in built.measures if type(each) in (Loss, Likelihood))
    return dataclasses.replace(built, measures=(Loss(draws=1),) if amount.tiny else kept, sampler=None)


def trained(amount: Amount, workdir: Path) -> dict[str, Any]:
    """Loss and bits/dim of every run on the test split, over seeds, with 95 % intervals (Student's t)."""
    names = list(RUNS)[:2] if amount.tiny else list(RUNS)
    wanted = [(name, seed) for seed in range(amount.seeds) for name in names]
    jobs = [
        Job(f"{name}, seed {seed}", functools.partial(job, name, seed, amount, workdir))
        for name, seed in wanted
        if not result(name, seed, workdir).exists()
    ]
    run_jobs(jobs, 1 if amount.tiny else min(2, cores()))
    found = {}
    for name in names:
        each = [json.loads(result(name, seed, workdir).read_text()) for seed in range(amount.seeds)]
        found[name] = {key: interval([one[key] for one in each]) for key in MEASURED if key in each[0]}
        found[name]["parameters"] = each[0]["parameters"]
    return found


def result(name: str, seed: int, workdir: Path) -> Path:
    """Where what a run is worth is written."""
    return folder(name, seed, workdir) / "measured.json"


def folder(name: str, seed: int, workdir: Path) -> Path:
    """Where it is trained."""
    return workdir / "training" / f"{name.replace(',', '').replace(' ', '_')}_{seed}"


def job(name: str, seed: int, amount: Amount, workdir: Path) -> None:
    """Train and measure; goes on where it was stopped."""
    own, where = experiment(name, seed, amount), folder(name, seed, workdir)
    train(own, where)
    write_json(result(name, seed, workdir), evaluate(own, where))
