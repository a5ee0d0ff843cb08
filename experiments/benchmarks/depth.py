"""How long DiT takes to compile, its blocks written out or in a loop.

``python -m experiments.benchmarks.depth [--model=DiT-XL/2] [--batch=1]`` traces and compiles one evaluation
and one gradient of the loss, each once without a compilation cache, and writes ``depth.json`` beside it. No
weights are made: a program is compiled for shapes.
"""

from __future__ import annotations

import functools
import pathlib
import time
from typing import Any

import jax
import jax.numpy as jnp
from absl import app, flags

from score_sde.evaluation.report import table, write_json
from score_sde.interop.options.dit import SIZES
from score_sde.networks import DiT
from score_sde.networks.base import initialise, partition
from score_sde.networks.layers import SCANNED, UNROLLED, Depth

FLAGS = flags.FLAGS
flags.DEFINE_string("model", "DiT-XL/2", "the size and patch")
flags.DEFINE_integer("batch", 1, "latents at once")
flags.DEFINE_string("out", str(pathlib.Path(__file__).with_name("depth.json")), "where the JSON goes")
SHAPE = (32, 32, 4)


def measure(model: str, batch: int, layers: Depth) -> dict[str, float]:
    """Seconds of tracing and compiling, by name."""
    size, patch = model.lower().removeprefix("dit-").split("/")
    width, depth, heads = SIZES[size]
    factory = functools.partial(
        DiT, patch=int(patch), width=width, depth=depth, heads=heads, n_classes=1000, layers=layers
    )
    network = jax.eval_shape(lambda: initialise(factory, seed=0, shape=SHAPE))
    params = jax.eval_shape(lambda net: partition(net)[0], network)
    rebuild = partition(network)[1]
    x = jax.ShapeDtypeStruct((batch, *SHAPE), jnp.float32)
    t, label = (jax.ShapeDtypeStruct((batch,), kind) for kind in (jnp.float32, jnp.int32))

    def evaluate(params: Any, x: Any, t: Any, label: Any) -> Any:
        return rebuild(params)(x, t, label)

    def gradient(params: Any, x: Any, t: Any, label: Any) -> Any:
        return jax.grad(lambda params: jnp.mean(jnp.square(evaluate(params, x, t, label))))(params)

    found: dict[str, float] = {}
    for name, function in (("evaluation", evaluate), ("gradient", gradient)):
        began = time.perf_counter()
        lowered = jax.jit(function).lower(params, x, t, label)
        traced = time.perf_counter()
        compiled = lowered.compile()
        done = time.perf_counter()
        found |= {f"{name}: tracing": traced - began, f"{name}: compiling": done - traced}
        memory = compiled.memory_analysis()
        found[f"{name}: temporary MiB"] = memory.temp_size_in_bytes / 2**20 if memory else float("nan")
        print(
            f"{type(layers).__name__} {name}: traced {traced - began:.1f} s, compiled {done - traced:.1f} s",
            flush=True,
        )
    return found


def main(argv: list[str]) -> None:
    """Measure, print, write."""
    del argv
    jax.config.update("jax_enable_compilation_cache", False)
    ways = {"unrolled": UNROLLED, "scanned": SCANNED}
    results = {name: measure(FLAGS.model, FLAGS.batch, layers) for name, layers in ways.items()}
    rows = [(figure, *(results[name][figure] for name in ways)) for figure in results["unrolled"]]
    print(table(("seconds", *ways), rows))
    facts = {"model": FLAGS.model, "batch": FLAGS.batch, "device": jax.devices()[0].device_kind}
    write_json(FLAGS.out, {**facts, "jax": jax.__version__, **results})
    print(f"wrote {FLAGS.out}")


if __name__ == "__main__":
    app.run(main)
