"""One part with one seed: training, forecasts, free runs and assimilation; a file each."""

from __future__ import annotations

import functools
import json
import pathlib
import time
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.dynamics import models, scoring
from experiments.dynamics.sizes import Amount, Size, kept
from experiments.dynamics.systems import PARTS
from experiments.workers import Job, run_jobs
from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.report import write_json


class Entry(NamedTuple):
    """A part with a seed."""

    part: str
    seed: int

    def path(self, workdir: pathlib.Path) -> pathlib.Path:
        """Where its numbers are; its arrays are beside them."""
        return workdir / "entries" / f"{self.part}_{self.seed}.json"

    def arrays(self, workdir: pathlib.Path) -> pathlib.Path:
        """Where what pictures show is."""
        return self.path(workdir).with_suffix(".npz")


def entries(size: Size) -> list[Entry]:
    """All that is to be done."""
    return [Entry(part, seed) for part in size.parts for seed in range(size.amounts[part].seeds)]


def present(workdir: pathlib.Path) -> list[Entry]:
    """All that has been measured in ``workdir``, also by other commands."""
    names = [path.stem.rpartition("_") for path in sorted((workdir / "entries").glob("*.json"))]
    return [Entry(part, int(seed)) for part in PARTS for name, _, seed in names if name == part]


def measure(workdir: pathlib.Path, size: Size, workers: int) -> None:
    """Do what is missing in ``workdir``, the longest first, so that workers end together."""
    left = [each for each in entries(size)[::-1] if not done(each, workdir, size.amounts[each.part])]
    jobs = [
        Job(f"{each.part} {each.seed}", functools.partial(do, each, workdir, size.amounts[each.part]))
        for each in left
    ]
    run_jobs(jobs, workers)


def done(entry: Entry, workdir: pathlib.Path, amount: Amount) -> bool:
    """Whether these numbers are there; those of another size stop the run rather than mix with it."""
    path = entry.path(workdir)
    if not path.is_file():
        return False
    found = json.loads(path.read_text())["amount"]
    if found != kept(amount):
        raise InputError("--workdir", str(path), f"results of {kept(amount)}", "choose an empty one")
    return True


def do(entry: Entry, workdir: pathlib.Path, amount: Amount, learn: Any = models.learn) -> None:
    """Measure one part with one seed; ``learn`` gives the models."""
    part, began = PARTS[entry.part](), time.monotonic()
    learnt: models.Learnt = learn(part, amount, entry.seed)
    others = scoring.others(learnt)
    trained = time.monotonic() - began
    keys = jax.random.split(jax.random.key(1000 + entry.seed), 3)
    arrays: dict[str, np.ndarray] = {}
    numbers = {
        "amount": kept(amount),
        "forecasts": scoring.forecast(keys[0], learnt, amount, arrays),
        "free": scoring.run_free(keys[1], learnt, amount, arrays),
        "assimilation": scoring.assimilate(keys[2], learnt, amount, others, arrays),
        "train_seconds": trained,
        "seconds": time.monotonic() - began,
    }
    small = {name: each.astype(np.float32) for name, each in arrays.items()}
    replace_file(entry.arrays(workdir), lambda stream: np.savez_compressed(stream, **small))
    write_json(entry.path(workdir), numbers)
