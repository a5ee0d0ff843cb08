"""One training step and one evaluation of DDPM++, here and in PyTorch, in the same run.

``python -m experiments.benchmarks.networks [--sizes=published,small] [--rounds=7] [--threads=2]
[--torch_python=.../bin/python]`` prints a table and one line of JSON, and writes ``networks.json`` beside
this file. A training step is forward, backward, Adam and the exponential moving average, by the step that
``train`` runs. PyTorch's network is diffusers' ``UNet2DModel`` of the same size, in a process of its own: it
needs a Python that has torch and diffusers (``pip install torch diffusers``), by default this one. The
timings alternate in rounds, so that the ratio of their medians holds where a machine's speed drifts; the
two processes have the same processors. What is timed follows one of its kind at once, as in training: memory
that a process gave back while it waited may cost it seconds to get again.
"""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from absl import app, flags
from flax import nnx

from score_sde import denoisers, networks, objectives, sdes, training
from score_sde.dequantization import Continuous
from score_sde.errors import InputError
from score_sde.evaluation.report import table, write_json
from score_sde.experiment.accounting.flops import count_flops

HERE = pathlib.Path(__file__).parent
FLAGS = flags.FLAGS
flags.DEFINE_list("sizes", ["published", "small"], "which of published and small")
flags.DEFINE_integer("rounds", 7, "alternations of the timings")
flags.DEFINE_integer("threads", 2, "processors for each side")
flags.DEFINE_integer("batch", 8, "images in a batch")
flags.DEFINE_string("torch_python", sys.executable, "a Python that has torch and diffusers")
flags.DEFINE_string("out", str(HERE / "networks.json"), "where the JSON goes")

SIZES: dict[str, dict[str, Any]] = {
    "published": {"channels": 128, "multipliers": (1, 2, 2, 2), "blocks": 4, "attention_resolutions": (16,)},
    "small": {"channels": 32, "multipliers": (1, 2, 2), "blocks": 2, "attention_resolutions": (16,)},
}  # published: configs/vp/cifar10_ddpmpp_continuous.py
RESOLUTION, DROPOUT = 32, 0.1


def seconds(function: Callable[[], Any]) -> float:
    """Wall time of a call, to the end of its computations."""
    began = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - began


class Ours:
    """DDPM++ with what trains it, compiled ahead of time."""

    def __init__(self, size: dict[str, Any], batch: int) -> None:
        shape = (RESOLUTION, RESOLUTION, 3)
        network = networks.NCSNpp(shape=shape, dropout=DROPOUT, **size, rngs=nnx.Rngs(0))
        model = denoisers.Preconditioned(
            network=network, sde=sdes.VP(), precondition=denoisers.NoisePrediction()
        )
        params, rebuild = networks.partition(model)
        optimizer, ema = optax.adam(2e-4), training.ConstantEMA(decay=0.9999)
        self.parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
        self.state, self.key = training.init_state(params, optimizer, ema), jax.random.key(1)
        self.x = jax.random.normal(jax.random.key(2), (batch, *shape))
        self.labels = jnp.linspace(0.0, 999.0, batch)
        objective = objectives.DenoisingScoreMatching(times=objectives.UniformTimes(t_min=1e-5))
        self._step = training.make_step(
            objective=objective, optimizer=optimizer, rebuild=rebuild, units=Continuous(), ema=ema
        )
        self._evaluate = lambda params, x, labels: rebuild(params).network(x, labels)

    def compile(self) -> dict[str, float]:
        """Compile both programs; how long each took, tracing included."""
        inputs = (self.key, self.state, {"x": self.x})
        began = time.perf_counter()
        self._step = jax.jit(self._step, donate_argnums=1).lower(*inputs).compile()
        between = time.perf_counter()
        arguments = (self.state.params, self.x, self.labels)
        self._evaluate = jax.jit(self._evaluate).lower(*arguments).compile()
        return {
            "compile_seconds_of_step": between - began,
            "compile_seconds_of_evaluation": time.perf_counter() - between,
            "step_temporaries_mib": self._step.memory_analysis().temp_size_in_bytes / 2**20,
        }

    def facts(self) -> dict[str, Any]:
        """What is compared."""
        flops = count_flops(self._evaluate, self.state.params, self.x, self.labels)
        return {
            "jax": jax.__version__,
            "parameters": self.parameters,
            "gflop_per_evaluation": flops.matmul / 1e9,
        }

    def time(self, action: str) -> float:
        """Seconds of one ``step`` or ``evaluate``."""
        return seconds(self.step if action == "step" else self.evaluate)

    def step(self) -> Any:
        """One update."""
        self.state, metrics = self._step(self.key, self.state, {"x": self.x})
        return self.state, metrics

    def evaluate(self) -> Any:
        """One evaluation of the network."""
        return self._evaluate(self.state.params, self.x, self.labels)


class Theirs:
    """The PyTorch process."""

    def __init__(self, python: str, size: dict[str, Any], batch: int, threads: int) -> None:
        facts = {"resolution": RESOLUTION, "dropout": DROPOUT, "batch": batch, "threads": threads, **size}
        command = [python, str(HERE / "torch_unet.py"), json.dumps(facts)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.facts = self._answer()

    def time(self, action: str) -> float:
        """Seconds of one ``step`` or ``evaluate``."""
        assert self.process.stdin is not None
        self.process.stdin.write(action + "\n")
        return self._answer()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise InputError(
                "PyTorch's process", f"exit status {self.process.wait()}", "an answer", "see its error above"
            )
        return json.loads(line)


def has_torch(python: str) -> bool:
    """Whether that Python can import torch and diffusers."""
    check = (
        "import importlib.util as u, sys; sys.exit(not (u.find_spec('torch') and u.find_spec('diffusers')))"
    )
    return subprocess.run([python, "-c", check], check=False).returncode == 0


def measure(name: str, rounds: int, batch: int, threads: int, python: str) -> dict[str, Any]:
    """All figures of one size."""
    ours = Ours(SIZES[name], batch)
    results: dict[str, Any] = {"size": name, "batch": batch, "threads": threads, "jax": ours.facts()}
    results["jax"].update(ours.compile())
    sides: dict[str, Any] = {"jax": ours}
    theirs = Theirs(python, SIZES[name], batch, threads) if has_torch(python) else None
    if theirs is not None:
        sides["torch"], results["torch"] = theirs, theirs.facts
    times: dict[tuple[str, str], list[float]] = {}
    for index in range(rounds + 1):
        for action in ("step", "evaluate"):
            for side, runner in sides.items():
                runner.time(action)
                taken = runner.time(action)
                if index:  # the first round warms up
                    times.setdefault((side, action), []).append(taken)
    if theirs is not None:
        theirs.close()
    for (side, action), taken in times.items():
        results[side][f"{action}_seconds"] = statistics.median(taken)
        results[side][f"{action}_seconds_at_best"] = min(taken)
    return results


def rows(results: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Figure, JAX, PyTorch, JAX over PyTorch."""
    ours, theirs, lines = results["jax"], results.get("torch", {}), []
    for name, value in ours.items():
        other = theirs.get(name)
        if not isinstance(value, str):
            ratio = "" if other is None else f"{value / other:.2f}"
            lines.append((name, f"{value:,.4g}", "" if other is None else f"{other:,.4g}", ratio))
    return lines


def main(argv: list[str]) -> None:
    """Measure, print, write."""
    del argv
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: FLAGS.threads])
    jax.config.update("jax_enable_compilation_cache", False)
    everything = []
    for name in FLAGS.sizes:
        if name not in SIZES:
            raise app.UsageError(f"--sizes={name}: one of {', '.join(SIZES)}")
        results = measure(name, FLAGS.rounds, FLAGS.batch, FLAGS.threads, FLAGS.torch_python)
        print(table((name, "JAX", "PyTorch", "ratio"), rows(results)))
        everything.append(results)
    if "torch" not in everything[0]:
        print(f"{FLAGS.torch_python} has no torch and diffusers: no comparison (--torch_python=...)")
    write_json(FLAGS.out, {"measurements": everything})
    print(json.dumps({"measurements": everything}))


if __name__ == "__main__":
    app.run(main)
