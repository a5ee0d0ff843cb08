"""Towers whose activations the backward pass rebuilds from the last ones instead of keeping them all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.layers.depth import Depth, MakeBlock
from score_sde.networks.layers.streams import FLOAT_STREAMS, Streams
from score_sde.typing import Array, Key

Pair = tuple[Array, Array]


@dataclasses.dataclass(frozen=True)
class Reversible(Depth):
    """Two streams that blocks read and change in turn: the memory of training does not grow with depth.

    (a, b) -> (b, a + f(b)), f(h) = block(h) - h, from a = b = hidden; the result is (a + b) / 2, hidden plus
    half of what all blocks add. Any block with a skip serves, without further parameters. Since
    a = (a + f(b)) - f(b), the backward pass rebuilds each block's input from its output, and evaluates each
    block a second time for it (Gomez et al. 2017; by whole blocks: Chang et al. 2018, midpoint network).

    This is another function of the same parameters than ``Unrolled`` and ``Scanned``, so that their weights
    do not serve it; it must be trained as it is. Without a key nothing is rebuilt: evaluation can be
    differentiated in every mode, as likelihoods ask for. With a key, as in training, by reverse mode alone.

    Attributes:
        streams: ``FloatStreams()``, or ``FixedPointStreams()``, which are rebuilt to the last bit.
    """

    streams: Streams = FLOAT_STREAMS

    def tower(self, block: MakeBlock, depth: int, rngs: nnx.Rngs) -> ReversibleTower:
        """A tower of at least two blocks.

        Raises:
            InputError: fewer.
        """
        if depth < 2:
            expected = "at least 2 blocks, one for each stream"
            raise InputError(
                "depth of Reversible", depth, expected, "add blocks, or set layers to Unrolled()"
            )
        return ReversibleTower([block(rngs) for _ in range(depth)], self.streams)


class ReversibleTower(nnx.Module):
    """Equal blocks, whose parameters are stacked, and the streams that they change.

    Both ways are loops of the program. Written out, the backward pass would share with the forward pass what
    both compute (the masks of dropout), and so keep it for each block.
    """

    def __init__(self, blocks: Sequence[Any], streams: Streams) -> None:
        self.coupled = jax.tree.map(lambda *leaves: jnp.stack(leaves), *blocks)
        self.depth, self.streams = len(blocks), streams

    def __call__(self, hidden: Array, *told: Any, key: Key | None = None) -> Array:
        """Through all blocks; the i-th has the key ``fold_in(key, i)``."""
        if key is None:
            coupling, arguments = self._arguments(self.streams.smooth(), hidden, told, None)
            return coupling.through(*arguments)
        coupling, arguments = self._arguments(self.streams, hidden, told, key)
        return _rebuilding(coupling)(*arguments)

    def retraced(self, hidden: Array, *told: Any, key: Key, cotangent: Array) -> Retraced:
        """There and back, as a training step does: how well activations are rebuilt."""
        coupling, (leaves, hidden, *others) = self._arguments(self.streams, hidden, told, key)
        entered = coupling.entered(hidden)
        last, kept = coupling.there(leaves, entered, *others)
        rebuilt, _, _, gradients = coupling.back(leaves, last, kept, *others, cotangent=cotangent)
        return Retraced(entered, rebuilt, gradients)

    def _arguments(
        self, streams: Streams, hidden: Array, told: tuple[Any, ...], key: Key | None
    ) -> tuple[_Coupling, tuple[Any, ...]]:
        leaves, structure = jax.tree.flatten(self.coupled)
        moving = jax.tree.map(lambda leaf: leaf if _moves(leaf) else None, told)
        still = jax.tree.map(lambda leaf: None if _moves(leaf) else leaf, told)
        return _Coupling(streams, structure, self.depth), (leaves, hidden, moving, still, key)


class Retraced(NamedTuple):
    """The streams before the first block as they were and as they were rebuilt, and gradients (leaves)."""

    entered: Pair
    rebuilt: Pair
    gradients: list[Array]


class _Back(NamedTuple):
    """What the way back carries: the streams, their cotangents, and those of what blocks are told."""

    pair: Pair
    cotangents: Pair
    moving: Any


@dataclasses.dataclass(frozen=True)
class _Coupling:
    """The mathematics, as functions of arrays.

    The blocks are ``leaves`` of ``structure``; ``moving`` are the arrays among what they are told that have
    gradients, and ``still`` the rest (constants, integers), either with None in the other's places.
    """

    streams: Streams
    structure: Any
    depth: int

    def through(self, leaves: list[Array], hidden: Array, moving: Any, still: Any, key: Key | None) -> Array:
        """The output."""
        last, _ = self.there(leaves, self.entered(hidden), moving, still, key)
        return self.left(last, hidden)

    def entered(self, hidden: Array) -> Pair:
        """Both streams begin as the input."""
        stream = self.streams.enter(hidden)
        return stream, stream

    def left(self, pair: Pair, like: Array) -> Array:
        """Their mean."""
        older, newer = (self.streams.read(stream) for stream in pair)
        return (0.5 * (older + newer)).astype(like.dtype)

    def there(
        self, leaves: list[Array], pair: Pair, moving: Any, still: Any, key: Key | None
    ) -> tuple[Pair, Any]:
        """The streams after all blocks, and what they kept."""
        streams, told = self.streams, _joined(moving, still)

        def step(pair: Pair, each: tuple[Any, Array]) -> tuple[Pair, Any]:
            (older, newer), (block, number) = pair, each
            changed, kept = streams.add(older, _change(told, key, number, block, streams.read(newer)))
            return (newer, changed), kept

        return jax.lax.scan(step, pair, self._numbered(leaves))

    def back(
        self,
        leaves: list[Array],
        last: Pair,
        kept: Any,
        moving: Any,
        still: Any,
        key: Key,
        *,
        cotangent: Array,
    ) -> tuple[Pair, Array, Any, list[Array]]:
        """From the last streams and the output's cotangent: the first streams, and all other cotangents."""
        streams = self.streams

        def step(carry: _Back, each: tuple[tuple[Any, Array], Any]) -> tuple[_Back, Any]:
            (older, newer), (d_older, d_newer), d_told = carry
            (block, number), kept = each

            def change(moving: Any, block: Any, x: Array) -> Array:
                return _change(_joined(moving, still), key, number, block, x)

            found, pull = jax.vjp(change, moving, block, streams.read(older))
            d_more, d_block, d_x = pull(d_newer.astype(found.dtype))
            before = streams.subtract(newer, found, kept), older
            return _Back(before, (d_newer, d_older + d_x), jax.tree.map(jnp.add, d_told, d_more)), d_block

        half = 0.5 * cotangent.astype(_wide(cotangent))
        begun = _Back(last, (half, half), jax.tree.map(lambda a: jnp.zeros(a.shape, _wide(a)), moving))
        end, gradients = jax.lax.scan(step, begun, (self._numbered(leaves), kept), reverse=True)
        told = jax.tree.map(lambda total, leaf: total.astype(leaf.dtype), end.moving, moving)
        hidden = (end.cotangents[0] + end.cotangents[1]).astype(cotangent.dtype)
        return end.pair, hidden, told, jax.tree.leaves(gradients)

    def _numbered(self, leaves: list[Array]) -> tuple[Any, Array]:
        return jax.tree.unflatten(self.structure, leaves), jnp.arange(self.depth)


def _rebuilding(coupling: _Coupling) -> Callable[..., Array]:
    """``coupling.through`` whose backward pass is given the last streams and rebuilds the others."""

    def there(leaves: list[Array], hidden: Array, *others: Any) -> tuple[Array, Any]:
        last, bits = coupling.there(leaves, coupling.entered(hidden), *others)
        return coupling.left(last, hidden), (leaves, last, bits, *others)

    def back(kept: Any, cotangent: Array) -> tuple[Any, ...]:
        _, hidden, moving, leaves = coupling.back(*kept, cotangent=cotangent)
        return leaves, hidden, moving, None, None

    through = jax.custom_vjp(coupling.through)
    through.defvjp(there, back)
    return through


def _change(told: tuple[Any, ...], key: Key | None, number: Any, block: Any, x: Array) -> Array:
    """What a block adds to its input."""
    y = block(x, *told, key=None if key is None else jax.random.fold_in(key, number))
    if y.shape != x.shape:
        expected, remedy = f"{x.shape}, as its input", "keep what changes it out of the tower"
        raise InputError("output of a block of Reversible", y.shape, expected, remedy)
    return (y - x).astype(x.dtype)


def _joined(moving: Any, still: Any) -> Any:
    """What blocks are told, of its two parts."""
    return jax.tree.map(lambda a, b: b if a is None else a, moving, still, is_leaf=lambda a: a is None)


def _moves(leaf: Any) -> bool:
    """Whether it has a gradient: not what is known before any program runs, nor integers."""
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jnp.inexact)


def _wide(leaf: Array) -> Any:
    return jnp.promote_types(leaf.dtype, jnp.float32)
