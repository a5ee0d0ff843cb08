"""The two sides of ``networks.py``: ours in this process, PyTorch's in one of its own."""

from __future__ import annotations

import json
import pathlib
import subprocess
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from experiments.benchmarks.contests import Transformer, UNet
from score_sde import denoisers, networks, objectives, sdes, training
from score_sde.dequantization import Continuous
from score_sde.errors import InputError
from score_sde.experiment.accounting.flops import count_flops

HERE = pathlib.Path(__file__).parent


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
    """A network with what trains it, compiled ahead of time."""

    def __init__(self, contest: UNet | Transformer, setting: Setting) -> None:
        batch = setting.batch
        dtype = jnp.bfloat16 if setting.arithmetic == "bfloat16" else jnp.float32
        model = denoisers.Preconditioned(
            network=contest.make(dtype), sde=sdes.VP(), precondition=denoisers.NoisePrediction()
        )
        params, rebuild = networks.partition(model)
        optimizer, ema = optax.adam(2e-4), training.ConstantEMA(decay=0.9999)
        self.parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
        self.state, self.key = training.init_state(params, optimizer, ema), jax.random.key(1)
        self.setting = setting
        self.x = jax.random.normal(jax.random.key(2), (batch, *contest.shape))
        self.labels = jnp.linspace(0.0, 999.0, batch)
        objective = objectives.DenoisingScoreMatching(times=objectives.UniformTimes(t_min=1e-5))
        self._step = training.make_step(
            objective=objective, optimizer=optimizer, rebuild=rebuild, units=Continuous(), ema=ema
        )
        self._evaluate = lambda params, x, labels: rebuild(params).network(x, labels)
        self.actions: dict[str, Callable[[], Any]] = {"step": self.step, "evaluate": self.evaluate}
        for name, (part, x) in contest.parts(rebuild(params).network, batch).items():
            self.actions |= _part(name, jax.tree.map(jnp.copy, part), x)  # a step gives its state away

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
        """Seconds of one of ``actions``."""
        return self.setting.time(self.actions[action])

    def step(self) -> Any:
        """One update."""
        self.state, metrics = self._step(self.key, self.state, {"x": self.x})
        return self.state, metrics

    def evaluate(self) -> Any:
        """One evaluation of the network."""
        return self._evaluate(self.state.params, self.x, self.labels)


def _part(name: str, part: Any, x: Any) -> dict[str, Callable[[], Any]]:
    """What evaluates a part of a network, and what takes its gradient, to its input as well."""

    def loss(part: Any, x: Any) -> Any:
        return jnp.mean(jnp.square(part(x)))

    evaluate, gradient = jax.jit(lambda part, x: part(x)), jax.jit(jax.grad(loss, argnums=(0, 1)))
    return {name: lambda: evaluate(part, x), f"{name}_gradient": lambda: gradient(part, x)}


class Theirs:
    """The PyTorch process."""

    def __init__(self, python: str, contest: UNet | Transformer, setting: Setting, mode: str) -> None:
        facts = {"mode": mode, **setting._asdict(), **contest.told}
        command = [python, str(HERE / "torch_side.py"), json.dumps(facts)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.facts = self._answer()

    def time(self, action: str) -> float:
        """Seconds of an action of the same name."""
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
