"""What a data set is like, and what noise it wants: ``--mode=inspect``."""

from __future__ import annotations

import math
import pathlib
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from score_sde.data.base import Dataset, Example, Source
from score_sde.data.batches import in_order
from score_sde.errors import InputError
from score_sde.evaluation.diameter import largest_distance
from score_sde.evaluation.features import Features
from score_sde.evaluation.moments import Moments, frechet, moments_of, save_moments
from score_sde.evaluation.plots import save_histograms
from score_sde.evaluation.report import table, write_json
from score_sde.evaluation.summary import Summary
from score_sde.experiment.base import Experiment
from score_sde.experiment.pictures import picture_samples

BATCH = 512
SHOWN = 64  # examples in the picture
MEMORY = 2**30  # bytes of examples that may be held to find the largest distance
SECONDS = 2.0  # between lines of progress


class Split(NamedTuple):
    """What one pass over a split gathers."""

    summary: Summary
    features: Moments
    model_space: Moments  # of all values as one number each
    kept: np.ndarray  # raw examples, in their order; a subset drawn with the seed where they are many


def inspect(experiment: Experiment, workdir: str | pathlib.Path) -> dict[str, Any]:
    """Read all examples of ``experiment.data``; write ``inspect/`` and print a table.

    ``inspection.json``: counts, ranges, moments, labels and duplicates of each split; ``sigma_data``, the
    standard deviation in model space (Karras et al. 2022, table 1); ``sigma_max``, the largest distance of
    two training examples in model space (Song and Ermon 2020, technique 1), over a random subset where
    the examples take more than a GiB. ``statistics.npz``: mean and covariance of ``experiment.features``
    over the training split, which FID needs. ``examples.png``, ``histogram.png``.

    Raises:
        InputError: data that cannot be read, or with values that are not finite.
    """
    folder, data = pathlib.Path(workdir) / "inspect", experiment.data
    folder.mkdir(parents=True, exist_ok=True)
    train = read(data, data.split("train"), "train", experiment.features, experiment.seed)
    splits, distances = {"train": train.summary.as_dict()}, {}
    for name in ("validation", "test"):
        source = _split(data, name)
        if source is None:
            print(f"{name}: {type(data).__name__} has no such examples; nothing is inspected", flush=True)
        else:
            split = read(data, source, name, experiment.features, experiment.seed)
            splits[name] = split.summary.as_dict() | {"in_train": split.summary.shared(train.summary)}
            distances[name] = frechet(split.features, train.features) if len(source) > 1 else None
    results: dict[str, Any] = {
        "data": type(data).__name__,
        "shape": list(data.shape),
        "splits": splits,
        "features": experiment.features.name,
        "frechet_to_train": distances,
        "sigma_data": float(np.sqrt(train.model_space.covariance.item())),
        **_sigma_max(data, train),
    }
    save_moments(folder / "statistics.npz", train.features, features=experiment.features.name)
    write_json(folder / "inspection.json", results)
    print(_table(results))
    written = ["inspection.json", "statistics.npz", *_pictures(folder, data, train)]
    print("\n".join(f"wrote {folder / name}" for name in written))
    return results


def read(data: Dataset, source: Source, name: str, features: Features, seed: int) -> Split:
    """One pass over a split, with progress."""
    summary, found, values, kept = Summary(), None, None, []
    limit = max(2, MEMORY // (math.prod(data.shape) * source[0]["x"].dtype.itemsize))
    chosen = np.zeros(len(source), bool)
    chosen[np.random.default_rng(seed).permutation(len(source))[:limit]] = True
    key = jax.random.key(seed)
    for start, batch in _batches(source, name):
        x = batch["x"]
        summary.add(x, batch.get("label"))
        found = _joined(found, moments_of(features(x)))
        encoded = np.asarray(data.units.encode(jax.random.fold_in(key, start), x))
        values = _joined(values, moments_of(encoded.reshape(-1, 1)))
        kept.append(x[chosen[start : start + len(x)]])
    assert found is not None  # a split that is given is not empty
    assert values is not None
    return Split(summary, found, values, np.concatenate(kept))


def _joined(sofar: Moments | None, more: Moments) -> Moments:
    return more if sofar is None else sofar.plus(more)


def _split(data: Dataset, name: str) -> Source | None:
    """The split, or None where the data have none of this name."""
    try:
        return data.split(name)
    except InputError:
        return None


def _batches(source: Source, name: str) -> Iterator[tuple[int, Example]]:
    """Batches with the index of their first example; says now and then how many are left."""
    began = printed = time.monotonic()
    start = 0
    for batch in in_order(source, BATCH):
        yield start, batch
        start, now = start + len(batch["x"]), time.monotonic()
        if now - printed > SECONDS or (start == len(source) and printed > began):
            left = (now - began) / start * (len(source) - start)
            print(f"{name}: {start:,} of {len(source):,} read, {left:.0f} s left", flush=True)
            printed = now


def _sigma_max(data: Dataset, train: Split) -> dict[str, Any]:
    """The largest distance of two examples, in raw units and in model space."""
    if len(train.kept) < 2:
        return {"sigma_max": None, "sigma_max_exact": False, "sigma_max_examples": len(train.kept)}
    printed = [time.monotonic()]

    def report(done: float) -> None:
        if time.monotonic() - printed[0] > SECONDS:
            print(f"largest distance: at most {1 - done:.0%} left", flush=True)
            printed[0] = time.monotonic()

    found = largest_distance(train.kept, report=report)
    scale = math.exp(data.units.log_scale)
    return {
        "sigma_max": scale * found.distance,
        "sigma_max_exact": found.exact and len(train.kept) == train.summary.count,
        "sigma_max_examples": len(train.kept),
        "sigma_max_bound": scale * found.bound,
        "largest_distance": found.distance,
    }


def _pictures(folder: pathlib.Path, data: Dataset, train: Split) -> list[str]:
    shown = train.kept[np.linspace(0, len(train.kept) - 1, min(SHOWN, len(train.kept))).round().astype(int)]
    save_histograms(folder / "histogram.png", train.kept[:4096], train.summary.label_counts.tolist())
    return [*picture_samples(folder / "examples.png", shown, data), "histogram.png"]


def _table(results: dict[str, Any]) -> str:
    rows: list[tuple[str, str, str]] = []
    for name, split in results["splits"].items():
        numbers = f"mean {_numbers(split['mean'])}, std {_numbers(split['std'])}"
        rows.append((name, f"{split['examples']:,}", f"{split['min']:g} to {split['max']:g}; {numbers}"))
        repeats = f"{split['duplicates']:,} equal an earlier example"
        shared = f", {split['in_train']:,} are also in train" if "in_train" in split else ""
        rows.append((f"{name}: duplicates", f"{split['duplicates']:,}", repeats + shared))
    for name, value in results["frechet_to_train"].items():
        note = f"on {results['features']}: what a perfect model would get with as many samples"
        rows.append((f"Frechet, {name} to train", "-" if value is None else f"{value:.4g}", note))
    rows.append(("sigma_data", f"{results['sigma_data']:.4g}", "standard deviation in model space"))
    rows.append(("sigma_max", *_sigma_max_cells(results)))
    return table(("what", "value", "note"), rows)


def _sigma_max_cells(results: dict[str, Any]) -> tuple[str, str]:
    if results["sigma_max"] is None:
        return "-", "needs two examples"
    text = f"largest distance of {results['sigma_max_examples']:,} examples in model space"
    open_ = f"; no pair of them exceeds {results['sigma_max_bound']:.4g}"
    return f"{results['sigma_max']:.4g}", text + (", exact" if results["sigma_max_exact"] else open_)


def _numbers(values: list[float]) -> str:
    return " ".join(f"{value:.4g}" for value in values[:4]) + (" ..." if len(values) > 4 else "")
