"""Gradients of a convolution, alone and in a loop: as ``jax.lax`` derives them, and as networks take them.

``python -m experiments.benchmarks.convolutions [--rounds=9]`` prints a table and writes ``convolutions.json``
beside this file, for JAX's default device. On a CPU the derived ones are slow in a loop
(``score_sde/networks/layers/conv_primitives.py`` says why). All programs of one size alternate.
"""

from __future__ import annotations

import functools
import pathlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from absl import app, flags

from score_sde.evaluation.report import table, write_json
from score_sde.networks.layers.conv_primitives import Window, convolution, library

FLAGS = flags.FLAGS
flags.DEFINE_integer("rounds", 9, "alternations of the timings")
flags.DEFINE_string("out", str(pathlib.Path(__file__).with_name("convolutions.json")), "where the JSON goes")

SIZES = ((64, 16, 24), (16, 32, 64), (32, 28, 16), (128, 8, 32))  # examples, pixels of a side, channels
LOOP = 10
WINDOW = Window(1, 1, ((1, 1), (1, 1)))
WAYS = {"lax": library, "networks": convolution}


def steps(convolve: Callable[..., Any], size: tuple[int, int, int]) -> dict[str, tuple[Any, Any]]:
    """By what is computed: a function of an array into its like, and the array."""
    examples, side, channels = size
    x = jax.random.normal(jax.random.key(1), (examples, side, side, channels))
    kernel = jax.random.normal(jax.random.key(0), (3, 3, channels, channels)) / channels

    def to_input(y: Any) -> Any:
        return jax.vjp(lambda x: convolve(x, kernel, WINDOW), y)[1](y)[0]

    def to_kernel(k: Any) -> Any:
        y, back = jax.vjp(lambda k: convolve(x, k, WINDOW), k)
        return back(y)[0] / jnp.sum(jnp.square(y))

    return {
        "value": (lambda x: convolve(x, kernel, WINDOW), x),
        "gradient to the input": (to_input, x),
        "value and gradient to the kernel": (to_kernel, kernel),
    }


def programs(size: tuple[int, int, int]) -> dict[tuple[str, str, str], Callable[[], Any]]:
    """By quantity, way and whether in a loop: compiled, and run once."""
    found = {}
    for way, convolve in WAYS.items():
        for name, (step, x) in steps(convolve, size).items():
            loop = functools.partial(jax.lax.fori_loop, 0, LOOP, lambda _, x, step=step: step(x))  # type: ignore[misc]
            for where, function in (("alone", step), ("in a loop", loop)):
                run = functools.partial(jax.jit(function), x)
                jax.block_until_ready(run())
                found[name, way, where] = run
    return found


def milliseconds(size: tuple[int, int, int], rounds: int) -> dict[tuple[str, str, str], float]:
    """The median over rounds of each, in one step of a loop or alone."""
    found = programs(size)
    taken: dict[tuple[str, str, str], list[float]] = {key: [] for key in found}
    for _ in range(rounds):
        for key, run in found.items():
            began = time.perf_counter()
            jax.block_until_ready(run())
            count = LOOP if key[-1] == "in a loop" else 1
            taken[key].append(1000 * (time.perf_counter() - began) / count)
    return {key: statistics.median(values) for key, values in taken.items()}


def main(argv: list[str]) -> None:
    """Measure, print, write."""
    del argv
    rows = []
    for size in SIZES:
        of = milliseconds(size, FLAGS.rounds)
        for name in dict.fromkeys(key[0] for key in of):
            figures = (of[name, way, where] for way in WAYS for where in ("alone", "in a loop"))
            rows.append((str(size), name, *figures))
    columns = ("size", "what", *(f"{way}, {where}" for way in WAYS for where in ("alone", "in a loop")))
    print(table(columns, rows))
    facts = {"device": jax.devices()[0].device_kind, "jax": jax.__version__, "rounds": FLAGS.rounds}
    write_json(FLAGS.out, {**facts, "columns": columns, "milliseconds": rows})
    print(f"wrote {FLAGS.out}")


if __name__ == "__main__":
    app.run(main)
