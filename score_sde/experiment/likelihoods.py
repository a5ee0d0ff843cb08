"""Likelihoods of single examples by a method of one's choice: ``--mode=likelihood``."""

from __future__ import annotations

import math
import pathlib
import re
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from score_sde.data.base import Source
from score_sde.data.batches import Example
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.plots import save_distribution
from score_sde.evaluation.report import table, with_error, write_json
from score_sde.experiment.base import Experiment, Restored, restore
from score_sde.experiment.row_file import RowFile, Rows
from score_sde.likelihood.base import LogProb, bits_per_dim
from score_sde.networks.base import partition
from score_sde.training.checkpoint import checksum
from score_sde.typing import Array, Key

PURPOSE = 4  # folded into the seed's key; training and sampling fold in 1 to 3
SECONDS = 5.0  # between lines of progress
NOT_VALUES = ("index", "label", "nats", "bits_per_dim", "stderr", "evaluations")


def likelihood(experiment: Experiment, workdir: str | pathlib.Path) -> dict[str, Any]:
    """Ask ``experiment.likelihood`` of a split; write a folder below ``likelihood/``, named for the method.

    ``values.npz`` has a row for each example: ``nats`` (log probability of integers, or log density in the
    units of the data), ``bits_per_dim``, ``stderr`` (of nats, over what is drawn at random),
    ``evaluations``, ``label`` where there is one, and the method's parts in nats. ``results.json`` and
    ``table.txt`` have their means, ``histogram.png`` shows them. A run that was killed goes on, with the
    same numbers: those of an example depend on the seed and its place alone.

    Raises:
        InputError: no checkpoint, or one that does not fit; a method that data or model cannot be asked by.
    """
    plan, data = experiment.likelihood, experiment.data
    source = data.split(plan.split).first(plan.n_examples)
    restored = restore(experiment, pathlib.Path(workdir))
    folder = pathlib.Path(workdir) / "likelihood" / type(plan.method).__name__
    values = RowFile(folder / "values.npz", about(experiment, restored))
    print(f"{plan.method.statement}; checkpoint of step {restored.step}", flush=True)
    seconds = _fill(values, experiment, restored, source)
    values.keep(len(source))
    results = summary(values.rows, experiment, restored) | {"seconds": seconds}
    _write(folder, results, values.rows)
    return results


def about(experiment: Experiment, restored: Restored) -> dict[str, Any]:
    """All that a value depends on, but for how many are asked for."""
    plan, data = experiment.likelihood, experiment.data
    described = repr((plan.method, data.units, experiment.condition))
    return {
        "settings": re.sub(r" at 0x[0-9a-f]+", "", described),  # a function's place in memory
        "data": [type(data).__name__, list(data.shape), plan.split],
        "batch_size": plan.batch_size,
        "seed": experiment.seed,
        "step": restored.step,
        "parameters": checksum(partition(restored.model)[0]),
    }


def _fill(values: RowFile, experiment: Experiment, restored: Restored, source: Source) -> float:
    """Compute what is missing; the seconds that it took."""
    size = experiment.likelihood.batch_size
    values.keep(len(values) // size * size if len(values) < len(source) else len(values))
    if len(values):
        print(f"going on after {min(len(values), len(source))} of {len(source)} examples", flush=True)
    run, began, printed, first = _compiled(experiment, restored), time.monotonic(), 0.0, len(values)
    for start in range(first, len(source), size):
        indices = np.arange(start, start + size) % len(source)  # the last batch filled up
        rows = run(start // size, source.batch(indices))
        count = min(size, len(source) - start)
        values.add({"index": indices[:count], **{name: column[:count] for name, column in rows.items()}})
        now, done = time.monotonic(), start + count
        if now - printed > SECONDS or done == len(source):
            _progress(values.rows, done, len(source), (now - began) / (done - first))
            printed = now
    values.write()
    return time.monotonic() - began


def _progress(rows: Rows, done: int, total: int, each: float) -> None:
    bits, left = float(np.mean(rows["bits_per_dim"])), (total - done) * each
    print(
        f"likelihood: {done} of {total} examples, {bits:.4f} bits/dim so far, {left:.0f} s left", flush=True
    )


def _compiled(experiment: Experiment, restored: Restored) -> Callable[[int, Example], Rows]:
    """From the number of a batch and its raw data to rows."""
    data, plan = experiment.data, experiment.likelihood
    params, rebuild = partition(restored.model)
    root = jax.random.fold_in(jax.random.key(experiment.seed), PURPOSE)

    @jax.jit
    def run(params: Any, key: Key, batch: dict[str, Array]) -> LogProb:
        told_key, method_key = jax.random.split(key)
        told = {**batch, "x": data.units.dequantized.encode(told_key, batch["x"])}
        cond = experiment.condition(told, n_classes=data.n_classes)
        return plan.method(method_key, rebuild(params), batch["x"], data.units, cond)

    def rows(index: int, batch: Example) -> Rows:
        found: LogProb = run(params, jax.random.fold_in(root, index), batch)
        named = {**found._asdict(), **found.parts}
        columns = {name: np.asarray(column) for name, column in named.items() if name != "parts"}
        columns["bits_per_dim"] = bits_per_dim(columns["nats"], math.prod(data.shape))
        return columns | ({"label": np.asarray(batch["label"])} if "label" in batch else {})

    return rows


def summary(rows: Rows, experiment: Experiment, restored: Restored) -> dict[str, Any]:
    """Means over examples with their standard errors, and what they are means of."""
    count, levels = len(rows["nats"]), getattr(experiment.data.units, "levels", None)
    parts = {name: float(np.mean(column)) for name, column in rows.items() if name not in NOT_VALUES}
    return {
        "method": type(experiment.likelihood.method).__name__,
        "statement": experiment.likelihood.method.statement,
        "units": f"integers, {levels} levels" if levels else "real values; densities per unit of the data",
        "split": experiment.likelihood.split,
        "examples": count,
        "dimensions": math.prod(experiment.data.shape),
        "step": restored.step,
        "bits_per_dim": _mean(rows["bits_per_dim"]),
        "nats": _mean(rows["nats"]),
        "stderr_of_one": float(np.mean(rows["stderr"])),
        "stderr_of_mean_by_draws": float(np.sqrt(np.sum(np.square(rows["stderr"], dtype=float))) / count),
        "evaluations": {
            "mean": float(np.mean(rows["evaluations"])),
            "most": int(np.max(rows["evaluations"])),
        },
        "parts": parts,
        "without_value": int(np.sum(~np.isfinite(rows["nats"]))),
    }


def _mean(values: np.ndarray) -> dict[str, float]:
    spread = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    return {"mean": float(values.mean()), "stderr": spread / math.sqrt(len(values))}


def _write(folder: pathlib.Path, results: dict[str, Any], rows: Rows) -> None:
    text = _table(results)
    replace_file(folder / "table.txt", lambda stream: stream.write(f"{text}\n".encode()))
    write_json(folder / "results.json", results)
    written = ["values.npz", "results.json", "table.txt"]
    bits = rows["bits_per_dim"][np.isfinite(rows["bits_per_dim"])]
    if len(bits):
        title = f"{results['method']}, {results['split']} split"
        save_distribution(folder / "histogram.png", bits, label="bits per dimension", title=title)
        written.append("histogram.png")
    print(text)
    lost = results["without_value"]
    if lost:
        print(f"warning: {lost} examples have no value: their solver did not arrive; raise its max_steps")
    print("\n".join(f"wrote {folder / name}" for name in written))


def _table(results: dict[str, Any]) -> str:
    bits, nats, cost = results["bits_per_dim"], results["nats"], results["evaluations"]
    scale = results["dimensions"] * math.log(2)
    rows = [
        ("bits/dim", with_error(bits["mean"], bits["stderr"], digits=4), results["statement"]),
        ("nats", with_error(nats["mean"], nats["stderr"]), f"of an example; {results['units']}"),
        ("nats, error of one", with_error(results["stderr_of_one"]), "mean standard error over random draws"),
        ("evaluations", f"{cost['mean']:.1f}", f"of the network for an example; at most {cost['most']}"),
        *(
            (f"part: {name}", with_error(value / scale, digits=4), "bits/dim of the cost")
            for name, value in results["parts"].items()
        ),
        ("examples", str(results["examples"]), f"{results['split']} split"),
    ]
    return table(("what", "value", "note"), rows)
