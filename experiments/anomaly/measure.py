"""Training, scoring and judging: a file for each table and seed, and for each way to score images."""

from __future__ import annotations

import json
import pathlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.anomaly.baselines import BASELINES
from experiments.anomaly.contestants import NO_NETWORK, OWN_NETWORK, PAIRED, contestants
from experiments.anomaly.images import Pool, prepare
from experiments.anomaly.judging import judged
from experiments.anomaly.sizes import Size, amount, require
from experiments.anomaly.tables import TABLES, UNSEEN, Split, split
from experiments.anomaly.truth import reference_scores
from score_sde.anomaly import AnomalyScore, MLPRecipe, WithBackground, in_batches, perturbed
from score_sde.errors import InputError
from score_sde.evaluation.report import write_json


class Entry(NamedTuple):
    """What is measured at once: a table and seed with all ways, or the images in one way."""

    part: str
    name: str  # of the table, or the way
    seed: int

    def path(self, workdir: pathlib.Path) -> pathlib.Path:
        """Where its results are."""
        return workdir / "entries" / self.part / f"{self.name.replace(' ', '_')}_{self.seed}.json"


def entries(size: Size) -> list[Entry]:
    """All that is to be done."""
    require(size)
    found = []
    seeds = range(size.first, size.first + size.seeds)
    for part, names in (("tables", size.tables), ("unseen", size.unseen)):
        if part in size.parts:
            found += [Entry(part, name, seed) for name in names for seed in seeds]
    if "images" in size.parts:
        found += [Entry("images", way, 0) for way in size.ways]
    return found


def measure(workdir: pathlib.Path, runs: pathlib.Path, size: Size) -> list[Entry]:
    """Do what is missing in ``workdir``; all entries, in their order."""
    wanted = entries(size)
    left = [entry for entry in wanted if not done(entry, workdir, size)]
    pool, began = None, time.monotonic()
    for number, entry in enumerate(left):
        if entry.part == "images" and pool is None:
            pool = prepare(runs, size)
        found = judge_images(entry, pool, size) if pool is not None else judge_table(entry, size)
        write_json(entry.path(workdir), {"amount": amount(size, entry.part), **found})
        rest = (time.monotonic() - began) / (number + 1) * (len(left) - number - 1)
        print(f"{number + 1} of {len(left)}: {entry.name} {entry.seed}; {rest / 60:.1f} min left", flush=True)
    return wanted


def done(entry: Entry, workdir: pathlib.Path, size: Size) -> bool:
    """Whether these results are there; those of another size stop the run rather than mix with it."""
    path = entry.path(workdir)
    if not path.is_file():
        return False
    found = json.loads(path.read_text())["amount"]
    if found != amount(size, entry.part):
        raise InputError(
            "--workdir", str(path), f"results of {amount(size, entry.part)}", "choose an empty one"
        )
    return True


def judge_table(entry: Entry, size: Size) -> dict[str, Any]:
    """All ways on one table: AUROC and the rest, and seconds without the shared training.

    On unseen tables those that train no network.
    """
    table = (TABLES | UNSEEN)[entry.name](entry.seed)
    data = split(table, entry.seed)
    found: dict[str, tuple[np.ndarray, float]] = {}
    for name in (way for way in BASELINES if way in size.ways):
        found[name] = _timed(BASELINES[name], data.train, data.test, entry.seed)
    networks = entry.part == "tables" and entry.seed < size.first + size.trained
    models, seconds = _timed(trained, data.train, entry.seed, size) if networks else (None, 0.0)
    for name, score in contestants("tables", steps=size.flow_steps).items():
        if name in size.ways and (networks or name in NO_NETWORK):
            found[name] = _timed(scored, name, score, models, data, entry.seed, size)
    for name, scores in reference_scores(entry.name, table.rows[data.rest]).items():
        found[name] = scores, 0.0
    ways = {name: judged(data.truth, scores) | {"seconds": taken} for name, (scores, taken) in found.items()}
    counts = {
        "train": len(data.train),
        "normal": int(np.sum(~data.truth)),
        "anomalies": int(np.sum(data.truth)),
    }
    return {"ways": ways, "counts": counts, "columns": data.train.shape[1], "train_seconds": seconds}


def trained(train: np.ndarray, seed: int, size: Size) -> WithBackground:
    """The denoiser that all scores share, and one of the background where it is asked for."""
    recipe = MLPRecipe(width=size.width, steps=size.steps)
    x, keys = jnp.asarray(train, jnp.float32), jax.random.split(jax.random.key(seed), 5)
    model = recipe.train(recipe.denoiser(keys[0], x.shape[1:]), x, keys[1])
    if PAIRED not in size.ways:
        return WithBackground(model=model, background=model)
    mixed = perturbed(keys[4], x, 0.3)
    background = recipe.train(recipe.denoiser(keys[2], x.shape[1:]), mixed, keys[3])
    return WithBackground(model=model, background=background)


def scored(
    name: str, score: AnomalyScore, models: WithBackground | None, data: Split, seed: int, size: Size
) -> np.ndarray:
    """Scores of the test rows, by what a detector does but for its threshold."""
    train, test = (jnp.asarray(rows, jnp.float32) for rows in (data.train, data.test))
    keys = jax.random.split(jax.random.key(seed), 4)
    model: Any = models if models is None or name == PAIRED else models.model
    if name in OWN_NETWORK:
        recipe = MLPRecipe(width=size.width, steps=size.steps)
        score, model = score.prepared(recipe, keys[0], train.shape[1:])
        score, model = score.learnt(model, recipe, train, keys[1])
    return np.asarray(in_batches(score.fitted(model, train, keys[2]), model, test, keys[3]))


def judge_images(entry: Entry, pool: Pool, size: Size) -> dict[str, Any]:
    """One way on all kinds of anomalies, by disjoint parts of the test images as seeds."""
    kinds = pool.anomalies
    everything = np.concatenate([pool.normal, *kinds.values()])
    scores, seconds = _timed(image_scores, entry.name, pool, everything, size)
    parts = np.split(scores, np.cumsum([len(pool.normal), *(len(images) for images in kinds.values())])[:-1])
    normal, others = parts[0], dict(zip(kinds, parts[1:], strict=True))
    rows: dict[str, list[dict[str, float]]] = {}
    for kind, strange in others.items():
        folds = zip(np.array_split(normal, size.folds), np.array_split(strange, size.folds), strict=True)
        rows[kind] = [
            judged(np.repeat([False, True], [len(a), len(b)]), np.concatenate([a, b])) for a, b in folds
        ]
    return {"kinds": rows, "seconds": seconds, "scores": {"normal": normal, **others}}


def image_scores(way: str, pool: Pool, images: np.ndarray, size: Size) -> np.ndarray:
    """Scores of images in model space (n, height, width, 1)."""
    if way in BASELINES:
        train, test = (each.reshape(len(each), -1).astype(np.float64) for each in (pool.train, images))
        return BASELINES[way](train, test, 0)
    score = contestants("images", units=pool.units, steps=size.image_flow_steps)[way]
    models: Any = WithBackground(model=pool.model, background=pool.background)
    # What asks no network can know more images: others are fitted to as many as they have time for.
    known = pool.train if way in (*NO_NETWORK, *OWN_NETWORK) else pool.train[: size.reference]
    flat = way in OWN_NETWORK  # a perceptron's
    known, images = (each.reshape(len(each), -1) if flat else each for each in (known, images))
    split_ = Split(known, images, np.array([]), np.array([]))
    return scored(way, score, models, split_, 0, size._replace(width=2 * size.width))


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    began = time.monotonic()
    found = function(*arguments)
    return found, time.monotonic() - began
