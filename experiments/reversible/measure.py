"""Memory against depth, time beside the plain network's, and how well activations are rebuilt."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from experiments.reversible import peak
from experiments.reversible.ways import PLAIN, REVERSIBLE, WAYS, Size, step, trainable
from score_sde.evaluation.report import write_json
from score_sde.networks.layers import FixedPointStreams, FloatStreams, Reversible, Streams

Row = dict[str, Any]


class Amount(NamedTuple):
    """How much is done: all of it, or seconds of it."""

    size: Size = Size()
    ways: tuple[str, ...] = tuple(WAYS)
    depths: tuple[int, ...] = (8, 16, 32, 64)
    timed_depth: int = 16
    rounds: int = 7
    error_depths: tuple[int, ...] = (2, 8, 32, 64)
    kinds: int = 5  # of the first of KINDS
    seeds: int = 3
    updates: int = 600
    tiny: bool = False


FAST = Amount(Size(16, 2, 8, 2), (PLAIN, REVERSIBLE), (2, 4), 2, 2, (2,), 1, 1, 4, True)


class Kind(NamedTuple):
    """What blocks compute in, and how streams are held."""

    dtype: Any
    streams: Streams


KINDS = {
    "float32": Kind(jnp.float32, FloatStreams()),
    "bfloat16, streams in float32": Kind(jnp.bfloat16, FloatStreams()),
    "bfloat16, streams too": Kind(jnp.bfloat16, FloatStreams(least=jnp.bfloat16)),
    "fixed point": Kind(jnp.float32, FixedPointStreams()),
    "bfloat16, streams in fixed point": Kind(jnp.bfloat16, FixedPointStreams(kept=4)),
}


def memory(amount: Amount, workdir: Path) -> list[Row]:
    """A row for each way and depth, each in a process of its own, and kept in a file."""
    pairs = [(way, depth) for depth in amount.depths for way in amount.ways]
    rows: list[Row] = []
    for (way, depth), left in _timed(pairs, "memory"):
        path = workdir / "memory" / f"{way.replace(' ', '_')}_{depth}.json"
        if not path.exists():
            write_json(path, peak.measured(way, depth, amount.size))
        rows.append(json.loads(path.read_text()))
        print(f"{way}, depth {depth}: {rows[-1]['temporaries'] / 2**20:.0f} MiB{left()}", flush=True)
    return rows


def speed(amount: Amount) -> list[Row]:
    """Seconds of a training step by each way, in turn, and over the plain network's of the same round."""
    jax.config.update("jax_enable_compilation_cache", False)
    steps: dict[str, Callable[[], Any]] = {}
    for way, left in _timed(amount.ways, "speed"):
        steps[way] = _repeatable(way, amount)
        print(f"speed: {way} compiled{left()}", flush=True)
    rounds = [{way: _seconds(run) for way, run in steps.items()} for _ in range(amount.rounds)]
    return [
        {
            "way": way,
            "depth": amount.timed_depth,
            "seconds": statistics.median(each[way] for each in rounds),
            "ratio": statistics.median(each[way] / each[PLAIN] for each in rounds),
            "ratios": [each[way] / each[PLAIN] for each in rounds],
        }
        for way in amount.ways
    ]


def errors(amount: Amount) -> list[Row]:
    """How far rebuilt activations are from those that were, by depth; and gradients from ordinary ones."""
    rows: list[Row] = []
    kinds, size = list(KINDS.items())[: amount.kinds], amount.size._replace(batch=2)
    for (depth, (name, kind)), left in _timed(
        [(depth, each) for depth in amount.error_depths for each in kinds], "errors"
    ):
        rows.append({"depth": depth, "kind": name, **_error(depth, kind, size)})
        print(f"{name}, depth {depth}: {rows[-1]['rebuilt']:.2g}{left()}", flush=True)
    return rows


def _error(depth: int, kind: Kind, size: Size) -> Row:
    """Relative, in the Euclidean norm of all numbers; ``exact``: the share of rebuilt ones without error."""
    made = trainable(Reversible(streams=kind.streams), depth, size, kind.dtype)

    def traced(params: Any, cotangent: jax.Array) -> Any:
        network = made.rebuild(params)
        told = jax.nn.silu(network.mapping(made.labels, None))
        hidden = network.tokens(made.x)
        key = jax.random.key(0)
        return network.blocks.retraced(hidden, told, None, key=key, cotangent=cotangent.astype(hidden.dtype))

    @jax.jit
    def compared(params: Any, key: jax.Array) -> Any:
        tokens = (size.batch, (size.side // 2) ** 2, size.width)
        found = traced(params, jax.random.normal(key, tokens))
        before, after = (
            jnp.stack([kind.streams.read(stream) for stream in pair])
            for pair in (found.entered, found.rebuilt)
        )
        gradient, ordinary = (jax.grad(made.loss)(params, key) for key in (key, None))
        # all of the way back is asked for, or it would not be done as in training
        norm = sum(jnp.sum(jnp.square(leaf)) for leaf in found.gradients)
        return _distance(after, before), jnp.mean(before == after), _distance(gradient, ordinary), norm

    rebuilt, exact, gradient, _ = compared(made.params, jax.random.key(1))
    return {"rebuilt": float(rebuilt), "exact": float(exact), "gradient": float(gradient)}


def _distance(found: Any, expected: Any) -> jax.Array:
    """||found - expected|| / ||expected|| over all leaves, in float32."""

    def square(tree: Any) -> Any:
        return sum(jnp.sum(jnp.square(leaf.astype(jnp.float32))) for leaf in jax.tree.leaves(tree))

    difference = jax.tree.map(lambda a, b: a.astype(jnp.float32) - b.astype(jnp.float32), found, expected)
    return jnp.sqrt(square(difference) / square(expected))


def _repeatable(way: str, amount: Amount) -> Callable[[], Any]:
    made = trainable(WAYS[way], amount.timed_depth, amount.size)
    compiled, key = step(made), jax.random.key(1)
    jax.block_until_ready(compiled(made.params, key))
    return lambda: compiled(made.params, key)


def _seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - began


def _timed(items: Any, what: str) -> Iterator[tuple[Any, Callable[[], str]]]:
    """Each item, and a function that says after it how much is left."""
    listed, began = list(items), time.monotonic()
    for number, item in enumerate(listed, start=1):

        def left(number: int = number) -> str:
            ahead = (time.monotonic() - began) / number * (len(listed) - number)
            return f" ({what} {number}/{len(listed)}, {ahead / 60:.1f} min left)"

        yield item, left
