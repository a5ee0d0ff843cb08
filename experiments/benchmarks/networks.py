"""One training step and one evaluation of DDPM++, here and in PyTorch, in the same run.

``python -m experiments.benchmarks.networks [--sizes=published,small] [--rounds=7] [--threads=2]
[--torch_python=.../bin/python]`` prints a table and one line of JSON, and writes ``networks.json`` beside
this file. A training step is forward, backward, Adam and the exponential moving average, by the step that
``train`` runs. PyTorch's network is diffusers' ``UNet2DModel`` of the same size, in a process of its own: it
needs a Python that has torch and diffusers (``pip install torch diffusers``), by default this one. The
timings alternate in rounds, so that the ratio of their medians holds where a machine's speed drifts; the
two processes have the same processors. What is timed follows one of its kind at once, as in training: memory
that a process gave back while it waited may cost it seconds to get again.

On an NVIDIA GPU: ``--device=cuda --batch=128 --calls=10``. ``--arithmetic`` is that of both networks:
``float32``, ``tf32`` (float32 whose products a GPU rounds to TF32; JAX's own default there) or ``bfloat16``
(parameters in float32; PyTorch by autocast). PyTorch on a GPU has its images channels last;
``--torch_mode=compile`` compiles its network.
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
from typing import Any, NamedTuple

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
flags.DEFINE_integer("threads", 2, "processors for each side, on a CPU")
flags.DEFINE_integer("batch", 8, "images in a batch")
flags.DEFINE_enum("device", "cpu", ["cpu", "cuda"], "where both sides compute")
flags.DEFINE_enum("arithmetic", "float32", ["float32", "tf32", "bfloat16"], "of the networks' products")
flags.DEFINE_integer("calls", 1, "calls in a timing, which ends when the last one's computations do")
flags.DEFINE_enum("torch_mode", "eager", ["eager", "compile"], "how PyTorch runs its network")
flags.DEFINE_string("torch_python", sys.executable, "a Python that has torch and diffusers")
flags.DEFINE_string("out", str(HERE / "networks.json"), "where the JSON goes")

SIZES: dict[str, dict[str, Any]] = {
    "published": {"channels": 128, "multipliers": (1, 2, 2, 2), "blocks": 4, "attention_resolutions": (16,)},
    "small": {"channels": 32, "multipliers": (1, 2, 2), "blocks": 2, "attention_resolutions": (16,)},
}  # published: configs/vp/cifar10_ddpmpp_continuous.py
RESOLUTION, DROPOUT = 32, 0.1


class Setting(NamedTuple):
    """What both sides have in common."""

    batch: int
    threads: int
    device: str
    arithmetic: str
    calls: int

    def time(self, function: Callable[[], Any]) -> float:
        """Seconds a call: wall time of some, to the end of their computations, over their number."""
        began = time.perf_counter()
        for _ in range(self.calls):
            result = function()
        jax.block_until_ready(result)
        return (time.perf_counter() - began) / self.calls


class Ours:
    """DDPM++ with what trains it, compiled ahead of time."""

    def __init__(self, size: dict[str, Any], setting: Setting) -> None:
        shape, batch = (RESOLUTION, RESOLUTION, 3), setting.batch
        dtype = jnp.bfloat16 if setting.arithmetic == "bfloat16" else jnp.float32
        network = networks.NCSNpp(shape=shape, dropout=DROPOUT, dtype=dtype, **size, rngs=nnx.Rngs(0))
        model = denoisers.Preconditioned(
            network=network, sde=sdes.VP(), precondition=denoisers.NoisePrediction()
        )
        params, rebuild = networks.partition(model)
        optimizer, ema = optax.adam(2e-4), training.ConstantEMA(decay=0.9999)
        self.parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
        self.state, self.key = training.init_state(params, optimizer, ema), jax.random.key(1)
        self.setting = setting
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
            "device": jax.config.jax_default_device.device_kind,
            "parameters": self.parameters,
            "gflop_per_evaluation": flops.matmul / 1e9,
        }

    def time(self, action: str) -> float:
        """Seconds of one ``step`` or ``evaluate``."""
        return self.setting.time(self.step if action == "step" else self.evaluate)

    def step(self) -> Any:
        """One update."""
        self.state, metrics = self._step(self.key, self.state, {"x": self.x})
        return self.state, metrics

    def evaluate(self) -> Any:
        """One evaluation of the network."""
        return self._evaluate(self.state.params, self.x, self.labels)


class Theirs:
    """The PyTorch process."""

    def __init__(self, python: str, size: dict[str, Any], setting: Setting, mode: str) -> None:
        facts = {"resolution": RESOLUTION, "dropout": DROPOUT, "mode": mode, **setting._asdict(), **size}
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


def measure(name: str, rounds: int, setting: Setting, python: str, mode: str) -> dict[str, Any]:
    """All figures of one size."""
    ours = Ours(SIZES[name], setting)
    results: dict[str, Any] = {"size": name, **setting._asdict(), "jax": ours.facts()}
    results["jax"].update(ours.compile())
    sides: dict[str, Any] = {"jax": ours}
    theirs = Theirs(python, SIZES[name], setting, mode) if has_torch(python) else None
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


def settle() -> Setting:
    """Put this process where the flags say, before JAX starts."""
    setting = Setting(FLAGS.batch, FLAGS.threads, FLAGS.device, FLAGS.arithmetic, FLAGS.calls)
    jax.config.update("jax_enable_compilation_cache", False)
    if setting.device == "cuda":
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # PyTorch has the same GPU
        jax.config.update(
            "jax_default_matmul_precision", "highest" if setting.arithmetic == "float32" else None
        )
    elif hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: setting.threads])
    try:
        jax.config.update("jax_default_device", jax.devices(setting.device)[0])
    except RuntimeError as error:
        raise app.UsageError(f"--device={setting.device}: JAX finds none here ({error})") from error
    return setting


def main(argv: list[str]) -> None:
    """Measure, print, write."""
    del argv
    setting, everything = settle(), []
    for name in FLAGS.sizes:
        if name not in SIZES:
            raise app.UsageError(f"--sizes={name}: one of {', '.join(SIZES)}")
        results = measure(name, FLAGS.rounds, setting, FLAGS.torch_python, FLAGS.torch_mode)
        print(table((name, "JAX", "PyTorch", "ratio"), rows(results)))
        everything.append(results)
    if "torch" not in everything[0]:
        print(f"{FLAGS.torch_python} has no torch and diffusers: no comparison (--torch_python=...)")
    write_json(FLAGS.out, {"measurements": everything})
    print(json.dumps({"measurements": everything}))


if __name__ == "__main__":
    app.run(main)
