"""Attention in blocks against its formula, of which JAX takes the derivatives."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import filled, quickly_compiled
from flax import nnx

from score_sde.networks import DiT
from score_sde.networks.layers import (
    DIT_STYLE,
    MODERN_STYLE,
    ROTARY,
    SCANNED,
    UNROLLED,
    InBlocks,
    attend,
)

EXAMPLE = 8 * 3 * 10 * 7  # bytes of one example's scores in float64, of the shapes below
BUDGETS = {
    "whole": 4 * EXAMPLE,
    "pairs": 3 * EXAMPLE,
    "examples": EXAMPLE,
    "halves": EXAMPLE // 2,
    "rows": EXAMPLE // 4,
    "each": 1,
}


def normal(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape))


def arrays():
    return normal(0, 4, 10, 3, 5), normal(1, 4, 7, 3, 5), normal(2, 4, 7, 3, 5)


def formula(q, k, v):
    """Vaswani et al. 2017, equation 1, head by head."""
    weights = jnp.exp(jnp.einsum("bqhd,bkhd->hbqk", q, k) / np.sqrt(q.shape[-1]))
    return jnp.einsum("hbqk,bkhd->bqhd", weights / weights.sum(-1, keepdims=True), v)


def loss(attention, q, k, v):
    return jnp.sum(jnp.sin(attention(q, k, v)))


def value(attention, q, k, v):
    return attention(q, k, v)


def gradients(attention, q, k, v):
    return jax.grad(functools.partial(loss, attention), argnums=(0, 1, 2))(q, k, v)


def tangents(attention, q, k, v):
    return jax.jvp(attention, (q, k, v), (jnp.cos(q), jnp.sin(k), jnp.cos(v)))


def curvature(attention, q, k, v):
    """Forward over reverse: how the gradients change along a direction of all arguments."""
    return jax.jvp(functools.partial(gradients, attention), (q, k, v), (jnp.cos(q), jnp.sin(k), jnp.cos(v)))


def twice_reverse(attention, q, k, v):
    return jax.grad(lambda q: jnp.sum(gradients(attention, q, k, v)[1] ** 2))(q)


def one_an_example(attention, q, k, v):
    return jax.vmap(lambda *each: gradients(attention, *(a[None] for a in each)))(q, k, v)


def everything(attention, q, k, v):
    modes = value, gradients, tangents, curvature, twice_reverse, one_an_example
    return {mode.__name__: mode(attention, q, k, v) for mode in modes}


def largest_error(ours, theirs):
    pairs = zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True)
    return max(float(np.max(np.abs(a - b)) / np.max(np.abs(b))) for a, b in pairs)


@pytest.fixture(scope="module")
def expected():
    with jax.enable_x64(True):
        return jax.jit(functools.partial(everything, formula))(*arrays())


@pytest.mark.parametrize("budget", BUDGETS)
def test_every_derivative_is_that_of_the_formula(budget, expected, x64):
    q, k, v = arrays()
    ours = jax.jit(functools.partial(everything, InBlocks(budget=BUDGETS[budget])))
    found = ours(q, k, v)
    for mode, right in expected.items():
        assert largest_error(found[mode], right) < 1e-12, mode
    wrong = ours(q, 1.05 * k, v)  # power: keys that are 5 % off are seen in each
    assert all(largest_error(wrong[mode], right) > 1e-3 for mode, right in expected.items())


@pytest.mark.parametrize("sign", [1, -1])
def test_scores_of_hundreds_do_not_overflow(sign):
    q = 300 * jnp.ones((4, 3, 1, 4))
    found = InBlocks(budget=1)(
        q, sign * q * jnp.arange(1.0, 4.0)[:, None, None], q * jnp.arange(3.0)[:, None, None]
    )
    np.testing.assert_allclose(found, 600 if sign > 0 else 0)  # all weight on the last or on the first key


@pytest.mark.parametrize(("dtype", "rounding"), [(jnp.float32, 1e-6), (jnp.bfloat16, 2e-2)])
def test_narrow_types_are_as_near_to_float64_as_their_rounding(dtype, rounding, x64):
    """Rounding by 6e-8 and 4e-3 of each number; both of the outputs' gradients, of sums of 64 terms."""
    narrow = tuple(normal(i, 4, 64, 2, 16).astype(dtype) for i in range(3))
    exact = jax.jit(functools.partial(gradients, formula))(*(a.astype(float) for a in narrow))
    found = jax.jit(functools.partial(gradients, InBlocks(budget=2**14)))(*narrow)
    assert {a.dtype for a in found} == {jnp.dtype(dtype)}
    assert largest_error(tuple(a.astype(float) for a in found), exact) < rounding


def temporaries(attention, tokens):
    """Bytes that XLA takes for a gradient."""
    a = jax.ShapeDtypeStruct((2, tokens, 2, 8), jnp.float32)
    compiled = jax.jit(functools.partial(gradients, attention)).lower(a, a, a).compile()
    return compiled.memory_analysis().temp_size_in_bytes


def test_memory_grows_with_tokens_and_not_with_their_pairs():
    ways = InBlocks(budget=2**18), attend
    ours, theirs = ([temporaries(way, tokens) for tokens in (512, 2048)] for way in ways)
    assert ours[1] < 4.5 * ours[0]
    assert theirs[1] > 12 * theirs[0]
    assert ours[1] < theirs[1] / 20


SPACES = {
    "1-D": ((16, 2), SCANNED, MODERN_STYLE),
    "2-D": ((8, 4, 3), UNROLLED, DIT_STYLE),
    "3-D": ((4, 4, 6, 1), UNROLLED, MODERN_STYLE),
}


def network(attention, shape, layers, style):
    """A small one; the modern ones with normalised heads, turned q and k, and tokens of no place."""
    extra = {"positions": ROTARY, "registers": 3} if style == MODERN_STYLE else {}
    style = dataclasses.replace(style, attention=attention)
    made = filled(lambda: DiT(shape, 2, 24, 2, 2, style=style, layers=layers, **extra, rngs=nnx.Rngs(0)))
    return jax.tree.map(lambda leaf: leaf.astype(float), made)


@quickly_compiled
def value_and_gradients(network, x):
    def loss(network, x):
        out = network(x, jnp.linspace(0.0, 900.0, len(x)))
        return jnp.sum(jnp.sin(out)), out

    return jax.grad(loss, argnums=(0, 1), has_aux=True)(network, x)


@pytest.mark.parametrize("space", SPACES)
def test_networks_are_the_same_with_either(space, x64):
    shape, layers, style = SPACES[space]
    x = normal(5, 4, *shape)
    ours, theirs = (
        jax.tree.leaves(value_and_gradients(network(way, shape, layers, style), x))
        for way in (InBlocks(budget=2**8), attend)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * max(np.max(np.abs(b)), 1e-3))
