"""One dispatch per update against a loop of updates in one, and whether a device repeats itself bit for bit.

``python -m experiments.benchmarks.dispatch [--config=configs/digits.py] [--rounds=15]`` prints a table and
writes ``dispatch.json`` beside this file, for JAX's default device. It says which way ``train`` should take
there (``training.make_multi_step`` chooses the loop on all but CPUs), and how far two runs from one state end
apart, and one that went through host memory half way: 0 where all bits are the same. All are in one process;
kernels that XLA chose by timing them may differ in another. On NVIDIA GPUs compare with what
``XLA_FLAGS=--xla_gpu_deterministic_ops=true`` gives. A CPU is slow in the loop: ``configs/digits.py:tiny``.
"""

from __future__ import annotations

import pathlib
import statistics
from typing import Any

import jax
import numpy as np
from absl import app, flags

from experiments.benchmarks.run import PER_ROUND, Framework, seconds
from score_sde.config import build, load_config
from score_sde.evaluation.report import table, write_json
from score_sde.training.step import make_multi_step, one_by_one, scanned

FLAGS = flags.FLAGS
FLAGS.set_default("out", str(pathlib.Path(__file__).with_name("dispatch.json")))
for name in ("config", "rounds", "out"):
    flags.declare_key_flag(name)


def started(experiment: Any, multi_step: Any) -> Framework:
    """Training from its first state, compiled with a first round of updates."""
    framework = Framework(experiment, multi_step)
    framework.run(PER_ROUND)
    return framework


def milliseconds(experiment: Any, rounds: int) -> dict[str, float]:
    """Of an update, by each way; the two alternate."""
    ways = {"one_by_one": started(experiment, one_by_one), "in_a_loop": started(experiment, scanned)}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, framework in ways.items():
            taken[name].append(seconds(lambda framework=framework: framework.run(PER_ROUND)))  # type: ignore[misc]
    return {
        f"milliseconds_{name}": 1000 * statistics.median(all_) / PER_ROUND for name, all_ in taken.items()
    }


def difference(first: Any, second: Any) -> float:
    """The largest of parameters, average and optimizer; 0 only where all bits are the same."""
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return max(float(np.max(np.abs(np.subtract(a, b, dtype=np.float64)))) for a, b in pairs)


def repeated(experiment: Any) -> dict[str, float]:
    """How far two runs by the device's own way end apart: both straight on, and one through the host."""
    runs = [started(experiment, make_multi_step) for _ in range(3)]
    runs[2].state = jax.device_put(jax.device_get(runs[2].state), runs[2].state.step.sharding)
    for framework in runs:
        framework.run(PER_ROUND)
    states = [jax.device_get(framework.state) for framework in runs]
    return {
        "difference_of_two_runs": difference(states[0], states[1]),
        "difference_after_resuming": difference(states[0], states[2]),
    }


def main(argv: list[str]) -> None:
    """Measure, print, write."""
    del argv
    jax.config.update("jax_enable_compilation_cache", False)
    experiment = build(load_config(FLAGS.config))
    results = {**milliseconds(experiment, FLAGS.rounds), **repeated(experiment)}
    print(table(("figure", "value"), list(results.items())))
    facts = {"config": FLAGS.config, "device": jax.devices()[0].device_kind, "jax": jax.__version__}
    write_json(FLAGS.out, {**facts, "updates_per_dispatch": PER_ROUND, **results})
    print(f"wrote {FLAGS.out}")


if __name__ == "__main__":
    app.run(main)
