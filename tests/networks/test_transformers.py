"""Transformers: published sizes, positions, symmetries, one, two and three axes, loops equal to lists."""

import functools
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import filled
from flax import nnx

from score_sde.errors import InputError
from score_sde.interop.base import flatten
from score_sde.networks import DiT, SiT, UViT, partition
from score_sde.networks.base import Frozen, count, initialise
from score_sde.networks.layers import (
    DIT_STYLE,
    MODERN_STYLE,
    NO_POSITIONS,
    ROTARY,
    SCANNED,
    SINCOS,
    UNROLLED,
    AdaptiveBlock,
    LayerNorm,
    RMSNorm,
    Scanned,
    Standardize,
    SwiGLU,
    attend,
    patched,
    require_patches,
    unpatched,
)

DATA = pathlib.Path(__file__).parents[1] / "data"
SIZES = {"S": (384, 12, 6), "B": (768, 12, 12), "L": (1024, 24, 16), "XL": (1152, 28, 16)}
SMALL = {"patch": 2, "width": 24, "depth": 2, "heads": 2}
MODERN = {"style": MODERN_STYLE, "positions": ROTARY, "registers": 3}
SPACES = {"1-D": (16, 2), "2-D": (8, 4, 3), "3-D": (4, 4, 6, 1)}


def dit(shape=(4, 6, 2), kind=DiT, **options):
    return kind(shape, rngs=nnx.Rngs(0), **{**SMALL, **options})


def drawn(make, **options):
    """One with every parameter at random."""
    return filled(lambda: make(**options))


@functools.partial(jax.jit, static_argnames="keyed")
def apply(network, x, cond=None, keyed=False):
    key = jax.random.key(3) if keyed else None
    return network(x, jnp.linspace(0, 900, len(x)), cond, key=key)


def example(shape, seed=1, n=2):
    return jnp.asarray(np.random.default_rng(seed).standard_normal((n, *shape)), jnp.float32)


# ---------------------------------------------------------------- sizes


def counted(depth, **options):
    factory = functools.partial(DiT, depth=depth, n_classes=1000, **options)
    side = options.pop("side", 32)
    factory.keywords.pop("side", None)
    return np.array(count(jax.eval_shape(lambda: initialise(factory, seed=0, shape=(side, side, 4)))))


def published():
    """Names and counts of facebookresearch/DiT, ed81ce2 (tests/data/README.md)."""
    return json.loads((DATA / "param_counts.json").read_text())["DiT"]


@pytest.mark.parametrize("name", published())
def test_counts_are_the_published_ones(name):
    """Blocks are equal, so that two depths say what all others have."""
    size, patch = name.split()[0].removeprefix("DiT-").split("/")
    width, depth, heads = SIZES[size]
    options = {"patch": int(patch), "width": width, "heads": heads, "side": 64 if "512px" in name else 32}
    one, two = (counted(n, **options) for n in (1, 2))
    trained, everything = one + (depth - 1) * (two - one)
    assert (trained, everything) == (published()[name]["trainable"], published()[name]["total"])


UVIT = {"shape": (32, 32, 4), "n_classes": 1000}
UVITS = {  # Bao et al. 2023, table 1: options, and millions of parameters
    "S/2": ({"width": 512, "depth": 13, "heads": 8, "shape": (32, 32, 3)}, 44),
    "M/2": ({"width": 768, "depth": 17, "heads": 12, **UVIT}, 131),
    "L/2": ({"width": 1024, "depth": 21, "heads": 16, **UVIT}, 287),
    "H/2": ({"width": 1152, "depth": 29, "heads": 16, **UVIT}, 501),
}


@pytest.mark.parametrize(("options", "millions"), UVITS.values(), ids=UVITS)
def test_counts_of_u_vit(options, millions):
    """The published numbers are whole millions; of three and five blocks, extrapolated."""
    depth, options = options["depth"], {name: value for name, value in options.items() if name != "depth"}
    few, more = (
        count(jax.eval_shape(lambda n=n: UViT(depth=n, rngs=nnx.Rngs(0), **options)))[0] for n in (3, 5)
    )
    assert round((few + (depth - 3) // 2 * (more - few)) / 1e6) == millions


# ---------------------------------------------------------------- patches and positions


@pytest.mark.parametrize("shape", SPACES.values(), ids=SPACES)
def test_patches_hold_neighbours_and_go_back(shape):
    grid, patch = require_patches("net", shape, 2)
    x = jnp.arange(2 * np.prod(shape)).reshape(2, *shape)
    tokens = patched(x, grid, patch)
    np.testing.assert_array_equal(unpatched(tokens, grid, patch), x)
    first = x[(0, *(slice(0, 2) for _ in grid))]
    np.testing.assert_array_equal(tokens[0, 0], first.reshape(-1))


def test_positions_of_the_original():
    """pos_embed of facebookresearch/DiT for 8 x 8 tokens of 64 channels, made by its code."""
    with np.load(DATA / "net_dit_p2_sigma.npz") as file:
        expected = file["w:pos_embed"]
    table = SINCOS.table((8, 8), 64, nnx.Rngs(0))
    assert isinstance(table, Frozen)
    np.testing.assert_allclose(table[...], expected, atol=1e-7)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("grid", [(6,), (4, 5), (3, 2, 4)])
def test_rotated_products_depend_on_differences_of_places(grid):
    """q_i k_j is the same for all pairs of tokens that lie equally to one another, and not for others."""
    rotation, size = ROTARY.rotation(grid, 12, 0), 12
    q, k = (np.random.default_rng(seed).standard_normal(size) for seed in (0, 1))
    n = int(np.prod(grid))
    turned = [np.asarray(rotation(jnp.broadcast_to(v, (1, n, 1, size))))[0, :, 0] for v in (q, k)]
    products = turned[0] @ turned[1].T
    places = np.stack(np.unravel_index(np.arange(n), grid), axis=1)
    found = {}
    for i in range(n):
        for j in range(n):
            found.setdefault(tuple(places[j] - places[i]), []).append(products[i, j])
    assert max(np.ptp(values) for values in found.values()) < 1e-12
    means = [np.mean(values) for values in found.values()]
    assert np.min(np.diff(np.sort(means))) > 1e-9
    np.testing.assert_allclose(np.linalg.norm(turned[0], axis=1), np.linalg.norm(q), rtol=1e-12)


def test_registers_are_not_turned():
    rotation = ROTARY.rotation((4,), 8, 2)
    x = example((6, 1, 8))
    np.testing.assert_array_equal(rotation(x)[:, :2], x[:, :2])
    assert jnp.all(jnp.abs(rotation(x)[:, 3:] - x[:, 3:]).max(axis=-1) > 1e-3)


def swapped(x, grid, patch, order):
    return unpatched(patched(x, grid, patch)[:, order], grid, patch)


@pytest.mark.parametrize("style", [{}, {"style": MODERN_STYLE, "registers": 2}], ids=["DiT", "modern"])
def test_without_positions_patches_are_a_set(style):
    network = drawn(dit, positions=NO_POSITIONS, **style)
    x, order = example((4, 6, 2)), np.array([3, 0, 5, 1, 4, 2])
    moved = swapped(x, (2, 3), (2, 2), order)
    np.testing.assert_allclose(apply(network, moved), swapped_out(apply(network, x), order), atol=2e-5)
    told = drawn(dit, positions=ROTARY if style else SINCOS, **style)
    assert jnp.max(jnp.abs(apply(told, moved) - swapped_out(apply(told, x), order))) > 1e-2


def swapped_out(y, order):
    return swapped(y, (2, 3), (2, 2), order)


# ---------------------------------------------------------------- the network


def test_blocks_start_as_the_identity_and_the_network_at_zero():
    block = AdaptiveBlock(24, 2, DIT_STYLE, rngs=nnx.Rngs(0))
    x, told = example((5, 24)), example((24,), seed=2)
    np.testing.assert_array_equal(block(x, told), x)
    y = apply(dit(n_classes=3), example((4, 6, 2)), jnp.array([0, 1]))
    assert y.shape == (2, 4, 6, 4)
    np.testing.assert_array_equal(y, 0)


@pytest.mark.parametrize("options", [{}, MODERN], ids=["DiT", "modern"])
@pytest.mark.parametrize("shape", SPACES.values(), ids=SPACES)
def test_one_two_and_three_axes(shape, options):
    network = drawn(dit, shape=shape, outputs=1, n_classes=3, **options)
    x, labels = example(shape), jnp.array([0, 2])
    y = apply(network, x, labels)
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    assert jnp.max(jnp.abs(apply(network, x, labels[::-1]) - y)) > 1e-3
    far = apply(network, x.at[(slice(None), *(-1,) * len(shape))].add(1.0), labels) - y
    assert jnp.abs(far[(0, *(0,) * len(shape))]) > 1e-5  # every token sees every other


def test_scanned_is_unrolled():
    """Parameters, loss and gradients are the same, with dropout, also where blocks are computed again."""
    kinds = [UNROLLED, SCANNED, Scanned(remat=True)]
    networks = [dit(layers=kind, dropout=0.3, n_classes=3, **MODERN) for kind in kinds]
    params, rebuild = partition(networks[0])
    for name, leaf in flatten(partition(networks[1])[0]["blocks"]["stacked"]):
        each = [dict(flatten(params["blocks"]["each"][str(i)]))[name] for i in range(2)]
        np.testing.assert_array_equal(leaf, jnp.stack(each))
    params = partition(drawn(dit, dropout=0.3, n_classes=3, **MODERN))[0]
    each = list(params["blocks"]["each"].values())
    stacked = {**params, "blocks": {"stacked": jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)}}
    x, cond = example((4, 6, 2)), jnp.array([0, 3])

    def result(rebuild, params):
        def loss(params):
            return jnp.sum(jnp.square(rebuild(params)(x, jnp.ones(2), cond, key=jax.random.key(0))))

        value, gradient = jax.value_and_grad(loss)(params)
        return value, gradient["tokens"]["linear"]["kernel"]

    @jax.jit
    def results(params, stacked):
        looped = [result(partition(network)[1], stacked) for network in networks[1:]]
        return [result(rebuild, params), *looped]

    (loss, gradient), *others = results(params, stacked)
    assert loss > 1
    for other, again in others:
        np.testing.assert_allclose(other, loss, rtol=1e-5)
        np.testing.assert_allclose(again, gradient, rtol=1e-3, atol=1e-4 * float(jnp.abs(gradient).max()))


def test_no_class_is_the_last_label_and_dropout_needs_a_key():
    network = drawn(dit, n_classes=3, dropout=0.5)
    x = example((4, 6, 2))
    none = apply(network, x)
    np.testing.assert_allclose(apply(network, x, jnp.array([3, 3])), none, atol=1e-6)
    assert jnp.max(jnp.abs(apply(network, x, keyed=True) - none)) > 1e-2


@pytest.mark.parametrize("layers", [UNROLLED, SCANNED], ids=["unrolled", "scanned"])
def test_bfloat16_computes_the_same_to_its_precision(layers):
    low, high = (drawn(dit, layers=layers, dtype=kind, **MODERN) for kind in (jnp.bfloat16, jnp.float32))
    assert all(a.dtype == jnp.float32 for a in jax.tree.leaves(partition(low)[0]))
    x = example((4, 6, 2))
    out, exact = apply(low, x), apply(high, x)
    assert out.dtype == jnp.float32
    assert 0 < jnp.linalg.norm(out - exact) < 0.05 * jnp.linalg.norm(exact)


def test_sit_drops_the_second_half():
    x = example((4, 6, 2))
    whole, half = (drawn(dit, kind=kind) for kind in (DiT, SiT))
    np.testing.assert_array_equal(apply(half, x), apply(whole, x)[..., :2])


def test_u_vit_sees_time_class_and_places():
    options = {"patch": 2, "width": 16, "depth": 5, "heads": 2}
    network = drawn(lambda: UViT((4, 6, 2), n_classes=3, rngs=nnx.Rngs(0), **options))
    x, labels = example((4, 6, 2)), jnp.array([0, 2])
    y = apply(network, x, labels)
    assert y.shape == x.shape
    assert jnp.max(jnp.abs(apply(network, x, labels[::-1]) - y)) > 1e-3
    later = jax.jit(lambda network: network(x, jnp.array([5.0, 7.0]), labels))(network)
    assert jnp.max(jnp.abs(later - y)) > 1e-3
    with pytest.raises(InputError, match=r"UViT\.depth = -1"):
        UViT((4, 4, 1), depth=-1, rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match=r"UViT\.depth = 4"):
        UViT((4, 6, 2), rngs=nnx.Rngs(0), **{**options, "depth": 4})


# ---------------------------------------------------------------- layers


@pytest.mark.usefixtures("x64")
def test_norms_and_gate_by_their_formulas():
    x = np.random.default_rng(0).standard_normal((3, 5, 6)) * 4 + 1
    mean, std = x.mean(-1, keepdims=True), x.std(-1, keepdims=True)
    np.testing.assert_allclose(Standardize(6, eps=0.0)(jnp.asarray(x)), (x - mean) / std, rtol=1e-12)
    np.testing.assert_allclose(LayerNorm(6, eps=0.0)(jnp.asarray(x)), (x - mean) / std, rtol=1e-12)
    power = np.sqrt(np.square(x).mean(-1, keepdims=True))
    np.testing.assert_allclose(RMSNorm(6, eps=0.0)(jnp.asarray(x)), x / power, rtol=1e-12)
    glu = SwiGLU(6, rngs=nnx.Rngs(0))
    rise, fall = (np.asarray(layer.kernel[...], float) for layer in (glu.rise, glu.fall))
    gate, value = np.split(x @ rise, 2, axis=-1)
    np.testing.assert_allclose(glu(jnp.asarray(x)), (gate / (1 + np.exp(-gate)) * value) @ fall, rtol=1e-6)
    assert rise.size + fall.size == 2 * 4 * 6 * 6  # as many as two products of four times the width


def test_normalised_heads_bound_the_logits():
    """Whatever the size of x, q and k of RMS 1 have products of at most the head size."""
    x = 100 * example((5, 2, 4))
    q = RMSNorm(4)(x)
    assert jnp.max(jnp.abs(jnp.einsum("bqhd,bkhd->bhqk", q, q))) < 4.001
    np.testing.assert_allclose(attend(RMSNorm(4)(7 * x), q, x), attend(q, q, x), rtol=1e-3)


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (9, 8, 1)}, r"DiT\.patch = 2: expected a divisor of 9 .*resize the data to 8"),
        ({"patch": (2, 2, 2)}, r"DiT\.patch = \(2, 2, 2\): expected a positive number, or 2 of them"),
        ({"patch": 0}, r"DiT\.patch = 0"),
        ({"heads": 0}, r"DiT\.heads = 0: expected a whole number of at least 1"),
        ({"depth": -3}, r"DiT\.depth = -3"),
        ({"registers": -1}, r"DiT\.registers = -1: expected a whole number of at least 0"),
        ({"n_classes": 0}, r"DiT\.n_classes = 0"),
        ({"heads": 5}, r"heads = 5: expected a divisor of width = 24"),
        ({"heads": 24, "positions": ROTARY}, r"channels of a head = 1: expected an even number"),
    ],
)
def test_mistakes_are_one_line(options, message):
    def use(shape=(4, 6, 2), **options):
        dit(shape, **options)(example(shape), jnp.ones(2))

    with pytest.raises(InputError, match=message) as caught:
        use(**options)
    assert "\n" not in str(caught.value)


def test_what_it_was_not_built_for_is_named():
    with pytest.raises(InputError, match=r"shape of x = \(2, 6, 4, 2\)"):
        dit()(example((6, 4, 2)), jnp.ones(2))
    with pytest.raises(InputError, match="n_classes"):
        dit()(example((4, 6, 2)), jnp.ones(2), jnp.array([0, 1]))
