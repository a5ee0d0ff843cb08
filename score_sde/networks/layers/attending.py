"""How attention and its derivatives are computed: the one place that says so."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from score_sde.typing import Array

Attention = Callable[[Array, Array, Array], Array]  # of q, k and v, each (B, tokens, heads, d)


def attend(q: Array, k: Array, v: Array) -> Array:
    """softmax(q k^T / sqrt(d)) v for (B, tokens, heads, d): the library's, all pairs of tokens in memory.

    float64 is written out: the library's softmax is float32 whatever the operands are.
    """
    if q.dtype != jnp.float64:
        return jax.nn.dot_product_attention(q, k, v)
    logits = jnp.einsum("bqhd,bkhd->bhqk", q, k) / jnp.sqrt(q.shape[-1])
    return jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(logits, axis=-1), v)


@dataclasses.dataclass(frozen=True)
class InBlocks:
    """The same in a loop over blocks: some examples, or some queries of one, against all keys.

    A row of scores is in one block, so that values are those of the formula, up to the order of sums. No
    array has all pairs of tokens, and derivatives compute the scores again. In float32 or wider, whatever the
    dtype of q. Every mode of differentiation, and of any order, works.

    Attributes:
        budget: bytes of a block's scores, about: what stays in a processor's cache.
    """

    budget: int = 2**22

    def __call__(self, q: Array, k: Array, v: Array) -> Array:
        """(B, queries, heads, d) and (B, keys, heads, d) twice -> (B, queries, heads, d)."""
        examples, queries = q.shape[:2]
        each = _bytes(q, k) // examples
        together = max(
            n for n in range(1, examples + 1) if examples % n == 0 and n * each <= max(self.budget, each)
        )
        rows = -(-queries // -(-each // self.budget))
        more = -queries % rows
        padded = jnp.pad(q, ((0, 0), (0, more), (0, 0), (0, 0)))
        return _attended(padded, k, v, Blocks(together, rows))[:, :queries]


class Blocks(NamedTuple):
    """Examples and queries of a block, which divide all."""

    examples: int
    queries: int


@functools.partial(jax.custom_jvp, nondiff_argnums=(3,))
def _attended(q: Array, k: Array, v: Array, blocks: Blocks) -> Array:
    return _over(blocks, _forward, (q,), (k, v))[0]


@_attended.defjvp
def _derivative(blocks: Blocks, primals: Any, tangents: Any) -> tuple[Array, Array]:
    (q, k, v), (dq, dk, dv) = primals, tangents
    out, *weights = _over(blocks, _forward, (q,), (k, v))
    return out, _over(blocks, _tangent, (q, out, *weights, dq), (k, v, dk, dv))


def _forward(rows: Any, whole: Any) -> tuple[Array, Array, Array]:
    """The output, and of each row of scores the maximum and 1 over the sum of exp(score - maximum)."""
    (q,), (k, v) = _wide(rows), _wide(whole)
    scores = _scores(q, k)
    highest = jnp.max(scores, axis=-1)
    weights = jnp.exp(scores - highest[..., None])
    scale = _rows_first(1 / jnp.sum(weights, axis=-1))
    out = jnp.einsum("bhqk,bkhd->bqhd", weights, v) * scale[..., None]
    return out.astype(rows[0].dtype), _rows_first(highest), scale


def _tangent(rows: Any, whole: Any) -> Array:
    """dp v + p dv with dp = p ds - p sum(p ds), the last term as out sum(p ds).

    Transposed, that sum is of out times the gradient to it, over a head's channels instead of over all keys
    (Dao et al. 2022).
    """
    (q, out, highest, scale, dq), (k, v, dk, dv) = _wide(rows), _wide(whole)
    highest, scale = (jnp.swapaxes(a, 1, 2)[..., None] for a in (highest, scale))
    p = jnp.exp(_scores(q, k) - highest) * scale
    change = p * (_scores(dq, k) + _scores(q, dk))
    total = _rows_first(jnp.sum(change, axis=-1))[..., None]
    tangent = jnp.einsum("bhqk,bkhd->bqhd", change, v) + jnp.einsum("bhqk,bkhd->bqhd", p, dv) - out * total
    return tangent.astype(rows[0].dtype)


def _scores(q: Array, k: Array) -> Array:
    return q.shape[-1] ** -0.5 * jnp.einsum("bqhd,bkhd->bhqk", q, k)


def _over(blocks: Blocks, work: Callable[[Any, Any], Any], rows: Any, whole: Any) -> Any:
    """``work`` of the blocks of ``rows``, each with all keys of ``whole``; nothing inside is kept."""
    work = jax.checkpoint(work, prevent_cse=False)

    @functools.partial(jax.checkpoint, prevent_cse=False)
    def some(each: Any) -> Any:
        rows, whole = each
        return _mapped(lambda part: work(part, whole), rows, blocks.queries, axis=1)

    return _mapped(some, (rows, whole), blocks.examples, axis=0)


def _mapped(function: Callable[[Any], Any], arrays: Any, size: int, axis: int) -> Any:
    """``function`` of pieces of ``size`` along an axis, one after the other, and its results put together."""
    length = jax.tree.leaves(arrays)[0].shape[axis]
    if size == length:
        return function(arrays)

    def cut(a: Array) -> Array:
        return jnp.moveaxis(a.reshape(*a.shape[:axis], -1, size, *a.shape[axis + 1 :]), axis, 0)

    def join(a: Array) -> Array:
        whole = jnp.moveaxis(a, 0, axis)
        return whole.reshape(*whole.shape[:axis], length, *whole.shape[axis + 2 :])

    return jax.tree.map(join, jax.lax.map(function, jax.tree.map(cut, arrays)))


def _wide(arrays: Any) -> Any:
    return tuple(a.astype(jnp.promote_types(a.dtype, jnp.float32)) for a in arrays)


def _rows_first(a: Array) -> Array:
    return jnp.swapaxes(a, 1, 2)


def _bytes(q: Array, k: Array) -> int:
    """Of the scores of all pairs."""
    wide = jnp.promote_types(q.dtype, jnp.float32)
    return q.shape[0] * q.shape[2] * q.shape[1] * k.shape[1] * wide.itemsize
