"""Speed and memory of the main job, and the cost of the framework around the network.

``python -m experiments.benchmarks.run [--config=configs/digits.py] [--rounds=15]`` prints a table and writes
``results.json`` beside this file. The two timings of an update, the framework's and the bare one's, alternate
in rounds, so that their ratio holds where a machine's speed drifts.
"""

from __future__ import annotations

import functools
import pathlib
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from absl import app, flags

from score_sde.config import build, load_config
from score_sde.data.batches import Batches
from score_sde.evaluation.report import table, write_json
from score_sde.training.sharding import make_mesh, place_batches, replicate
from score_sde.training.step import make_multi_step

FLAGS = flags.FLAGS
flags.DEFINE_string("config", "configs/digits.py", "the configuration to measure")
flags.DEFINE_integer("rounds", 15, "alternations of the two timings")
flags.DEFINE_string("out", str(pathlib.Path(__file__).with_name("results.json")), "where the JSON goes")
PER_ROUND = 20  # updates


def seconds(function: Callable[[], Any]) -> float:
    """Wall time of a call, to the end of its computations."""
    began = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - began


class Bare:
    """value_and_grad and Adam with nothing round them: one fixed batch, already in model space."""

    def __init__(self, experiment: Any) -> None:
        fresh, rebuild = experiment.make_state()
        self.params, optimizer = fresh.params, optax.adam(1e-4)
        self.opt_state = optimizer.init(self.params)
        raw = Batches(experiment.data.split("train"), experiment.training.batch_size)[0]["x"]
        self.x0 = experiment.data.units.encode(jax.random.key(0), jnp.asarray(raw))

        def update(params: Any, opt_state: Any, key: Any, x0: Any) -> Any:
            def loss(params: Any) -> Any:
                return jnp.mean(experiment.objective(key, rebuild(params), x0))

            value, gradient = jax.value_and_grad(loss)(params)
            changes, opt_state = optimizer.update(gradient, opt_state, params)
            return optax.apply_updates(params, changes), opt_state, value

        self.update = jax.jit(update, donate_argnums=(0, 1))

    def run(self, updates: int) -> Any:
        """Make ``updates`` updates."""
        value = None
        for i in range(updates):
            key = jax.random.fold_in(jax.random.key(1), i)
            self.params, self.opt_state, value = self.update(self.params, self.opt_state, key, self.x0)
        return self.params, value


class Framework:
    """The step as ``train`` runs it: batches from the host, units, averaging, clipping, metrics."""

    def __init__(self, experiment: Any, multi_step: Callable[..., Any] = make_multi_step) -> None:
        plan = experiment.training
        fresh, rebuild = experiment.make_state()
        self.mesh = make_mesh(plan.batch_size)
        self.state, self.key = replicate(self.mesh, fresh), replicate(self.mesh, jax.random.key(1))
        self.batches = Batches(experiment.data.split("train"), plan.batch_size)
        step = experiment.make_step(rebuild)
        self.advance, self.at = multi_step(step, self.mesh), 0

    def run(self, updates: int) -> Any:
        """Make ``updates`` updates."""
        batch = place_batches(self.mesh, self.batches.stack(self.at, updates))
        self.state, metrics = self.advance(self.key, self.state, batch)
        self.at += updates
        return self.state.params, metrics


def measure(experiment: Any, rounds: int) -> dict[str, float]:
    """All figures, by name."""
    bare, framework = Bare(experiment), Framework(experiment)
    compiling = seconds(lambda: framework.run(PER_ROUND))
    seconds(lambda: bare.run(PER_ROUND))
    pairs = [
        (seconds(lambda: framework.run(PER_ROUND)), seconds(lambda: bare.run(PER_ROUND)))
        for _ in range(rounds)
    ]
    step = statistics.median(pair[0] for pair in pairs) / PER_ROUND
    model, shape = experiment.make_model(), (experiment.sampling_batch, *experiment.data.shape)

    def sample(seed: int) -> Any:
        return experiment.sampler(jax.random.key(seed), model, shape)

    first = seconds(lambda: sample(0))
    sampling = min(seconds(functools.partial(sample, i)) for i in (1, 2))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "steps_per_second": 1 / step,
        "milliseconds_per_step": 1000 * step,
        "framework_over_bare_step": statistics.median(a / b for a, b in pairs),
        "samples_per_second": shape[0] / sampling,
        "compile_seconds_of_step": compiling - PER_ROUND * step,
        "compile_seconds_of_sampler": first - sampling,
        "peak_memory_mib": peak / 2**20,
    }


def main(argv: list[str]) -> None:
    """Measure, print, write."""
    del argv
    config = FLAGS.config
    jax.config.update("jax_enable_compilation_cache", False)
    results = measure(build(load_config(config)), FLAGS.rounds)
    print(table(("figure", "value"), list(results.items())))
    facts = {"config": config, "device": jax.devices()[0].device_kind, "jax": jax.__version__}
    write_json(FLAGS.out, {**facts, **results})
    print(f"wrote {FLAGS.out}")


if __name__ == "__main__":
    app.run(main)
