"""Networks of EDM and ADM: published sizes, other shapes of data, what they may be told, types, memory."""

import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks import ADM, ADMClassifier, ADMSuperResolution, DhariwalUNet, SongUNet, partition
from score_sde.networks import layers as parts
from score_sde.networks.base import count, initialise

COUNTS = json.loads((Path(__file__).parents[1] / "data" / "param_counts.json").read_text())
EDM, GUIDED = COUNTS["edm"], COUNTS["guided_diffusion"]
NCSNPP = {
    "embedding": parts.FourierEmbedding, "noise_multiplier": 2, "encoder": parts.InputResidual(),
    "resampling": parts.FIR(),
}  # fmt: skip
QUICKLY = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
SMALL = {"multipliers": (1, 2), "blocks": 1, "attention_resolutions": (4,)}
FLAT = {"multipliers": (1,), "blocks": 1, "attention_resolutions": ()}  # half as long to compile


def total(network, shape, **options):
    """Trainable parameters, without making them."""
    make = functools.partial(initialise, lambda shape, rngs: network(shape, rngs=rngs, **options), seed=0)
    return count(jax.eval_shape(lambda: make(shape=shape)))[0]


@pytest.mark.parametrize("name", EDM)
def test_published_sizes_of_edm(name):
    kind = next(kind for kind in ("ddpmpp", "ncsnpp", "adm") if kind in name.split())
    facts = dict(word.split("=") for word in name.split() if "=" in word)
    options = {"n_classes": int(facts["label_dim"]) or None, "augment_dim": int(facts["augment_dim"]) or None}
    if kind == "adm":
        assert total(DhariwalUNet, (64, 64, 3), **options) == EDM[name]["trainable"]
        return
    size = 64 if "64" in name else 32
    options["multipliers"] = tuple(int(m) for m in facts["channel_mult"].split(","))
    options |= NCSNPP if kind == "ncsnpp" else {}
    assert total(SongUNet, (size, size, 3), **options) == EDM[name]["trainable"]


@pytest.mark.parametrize(("name", "size", "resolutions"), [("64->256", 256, 8), ("128->512", 512, 16)])
def test_published_sizes_of_upsamplers(name, size, resolutions):
    attended = [r for r in (32, 16, 8) if r >= resolutions]
    options = {"multipliers": (1, 1, 2, 2, 4, 4), "blocks": 2, "n_classes": 1000}
    size_of_ours = total(ADMSuperResolution, (size, size, 3), attention_resolutions=attended, **options)
    assert size_of_ours == GUIDED[f"upsampler {name}"]["trainable"]


def randomised(network, seed=0):
    """Every parameter drawn anew: networks start at zero output, where all laws hold trivially."""
    params, rebuild = partition(network)
    rng = np.random.default_rng(seed)

    def draw(a):
        return jnp.asarray(rng.standard_normal(a.shape) / np.sqrt(1 + a.size / a.shape[-1]), jnp.float32)

    return rebuild(jax.tree.map(draw, params))


def made(network, shape, **options):
    """A small network whose parameters are drawn by numpy: nothing is compiled for it."""
    options = {**SMALL, **options}
    return randomised(jax.eval_shape(lambda: network(shape, rngs=nnx.Rngs(0), **options)))


HEADS = parts.HeadsOf(32)
SONG = functools.partial(made, SongUNet, channels=8)
FAMILIES = {
    "SongUNet": (functools.partial(SONG, n_classes=3, augment_dim=2, dropout=0.5), ("label", "augment")),
    "NCSN++": (
        functools.partial(SONG, n_classes=3, augment_dim=2, decoder=parts.OutputSkip(), **NCSNPP),
        ("label", "augment"),
    ),
    "DhariwalUNet": (
        functools.partial(made, DhariwalUNet, channels=32, n_classes=3, augment_dim=2, dropout=0.5),
        ("label", "augment"),
    ),
    "ADM": (
        functools.partial(made, ADM, channels=32, n_classes=3, outputs=1, heads=HEADS, dropout=0.5),
        ("label",),
    ),
    "ADMSuperResolution": (
        functools.partial(made, ADMSuperResolution, channels=32, heads=parts.ConstantHeads(2), outputs=1),
        ("low_res",),
    ),
}


def told(names, shape, rng):
    """Something for each part of a condition, for three examples."""
    low = (*(size // 2 for size in shape[:-1]), shape[-1])
    known = {
        "label": np.asarray([0, 2, 1]),
        "augment": rng.standard_normal((3, 2)).astype(np.float32),
        "low_res": rng.standard_normal((3, *low)).astype(np.float32),
    }
    return {name: known[name] for name in names}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("NCSN++", (8, 4, 2)),
        ("DhariwalUNet", (8, 4, 2)),
        ("ADM", (8, 4, 2)),
        ("ADMSuperResolution", (8, 4, 2)),
        ("NCSN++", (16, 3)),
        ("ADM", (16, 3)),
    ],
)
def test_every_input_counts_and_examples_are_independent(name, shape):
    make, names = FAMILIES[name]
    network, rng = make(shape), np.random.default_rng(1)
    x = rng.standard_normal((3, *shape)).astype(np.float32)
    labels, cond = np.asarray([0.1, 3.0, 40.0], np.float32), told(names, shape, rng)
    run = QUICKLY(lambda network, x, labels, cond: network(x, labels, cond))
    out = np.asarray(run(network, x, labels, cond))
    assert out.shape == x.shape
    assert out.dtype == x.dtype
    order = np.asarray([2, 0, 1])
    permuted = run(network, x[order], labels[order], {name: cond[name][order] for name in names})
    np.testing.assert_allclose(permuted, out[order], atol=1e-5)
    others = [(x + np.eye(shape[-1], dtype=np.float32)[0], labels, cond), (x, labels + 1, cond)]
    others += [(x, labels, {**cond, name: np.roll(cond[name], 1, axis=0)}) for name in names]
    for other in others:
        change = np.abs(run(network, *other) - out)
        assert np.min(np.max(change.reshape(3, -1), axis=1)) > 1e-4


def test_no_class_is_the_zero_vector():
    """No label, the label n_classes, and a table of zeros are the same."""
    for make in (FAMILIES["SongUNet"][0], FAMILIES["ADM"][0]):
        network = make((8, 8, 1), **FLAT)
        x, labels = jnp.ones((2, 8, 8, 1)), jnp.asarray([0.3, 2.0])
        run = QUICKLY(lambda network, cond, x=x, labels=labels: network(x, labels, cond))
        nothing, missing = run(network, None), run(network, jnp.asarray([3, 3]))
        np.testing.assert_allclose(missing, nothing, atol=1e-6)
        table = network.mapping.first or network.mapping.last
        assert table.rows.shape[0] == 3
        table.rows[...] = jnp.zeros_like(table.rows[...])
        np.testing.assert_allclose(run(network, jnp.asarray([0, 2])), nothing, atol=1e-6)


def test_dropout_needs_a_key():
    network, x = FAMILIES["DhariwalUNet"][0]((8, 8, 1), **FLAT), jnp.ones((1, 8, 8, 1))
    run = QUICKLY(lambda network, key: network(x, jnp.ones(1), key=key))
    first, again, other = (run(network, jax.random.key(n)) for n in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.max(np.abs(first - other)) > 1e-3
    assert np.max(np.abs(run(network, None) - first)) > 1e-3


def test_bfloat16_is_near_float32_and_keeps_parameters():
    exact, network = SONG((8, 8, 1), **FLAT), SONG((8, 8, 1), dtype=jnp.bfloat16, **FLAT)
    x, labels = jnp.asarray(np.random.default_rng(0).standard_normal((2, 8, 8, 1)), jnp.float32), jnp.ones(2)
    out, near = (QUICKLY(lambda n: n(x, labels))(n) for n in (exact, network))
    assert near.dtype == jnp.float32
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(partition(network)[0]))
    error = np.max(np.abs(near - out)) / np.max(np.abs(out))
    assert 1e-5 < error < 0.05


def test_remat_gives_the_same_gradient():
    plain, again = (FAMILIES["ADM"][0]((8, 8, 1), remat=remat, **FLAT) for remat in (False, True))
    x = jnp.asarray(np.random.default_rng(0).standard_normal((1, 8, 8, 1)), jnp.float32)

    def loss(x, network):
        return jnp.sum(jnp.square(network(x, jnp.ones(1), key=jax.random.key(0))))

    gradient = QUICKLY(jax.grad(loss))
    np.testing.assert_allclose(gradient(x, again), gradient(x, plain), rtol=1e-4, atol=1e-5)
    assert "remat" in str(jax.make_jaxpr(loss)(x, again))


@pytest.mark.parametrize(
    ("pool", "outputs"),
    [
        (parts.AttentionPool(HEADS), "positions"),
        (parts.MeanPool(), "norm"),
        (parts.SpatialPool(), "hidden"),
        (parts.NormedSpatialPool(), "hidden"),
    ],
    ids=["attention", "adaptive", "spatial", "spatial_v2"],
)
def test_classifiers_of_any_pool(pool, outputs):
    shape = (8, 4, 2)
    network = made(ADMClassifier, shape, n_classes=5, channels=32, heads=HEADS, pool=pool)
    assert hasattr(network.pool, outputs)
    x = jnp.asarray(np.random.default_rng(0).standard_normal((2, *shape)), jnp.float32)
    logits = QUICKLY(lambda network, x: network(x, jnp.asarray([3.0, 600.0])))(network, x)
    assert logits.shape == (2, 5)
    assert np.max(np.abs(logits[0] - logits[1])) > 1e-3


def test_what_starts_at_zero():
    """ADM's last convolution, and its classifier's 'adaptive' pool, start at zero; EDM's near it."""
    x, labels = jnp.ones((1, 8, 8, 1)), jnp.ones(1)

    @QUICKLY
    def started(key):
        seeds = nnx.Rngs(key)
        adm = ADM((8, 8, 1), 32, heads=HEADS, **FLAT, rngs=seeds)
        return adm(x, labels), SongUNet((8, 8, 1), 8, **FLAT, rngs=seeds)(x, labels)

    adm, song = started(jax.random.key(0))
    assert np.all(adm == 0)
    assert 0 < np.max(np.abs(song)) < 1e-3


def make(network, shape=(8, 8, 1), **options):
    return jax.eval_shape(lambda: network(shape, rngs=nnx.Rngs(0), **{**SMALL, "channels": 32, **options}))


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (lambda: make(SongUNet, (6, 8, 1), multipliers=(1, 2, 2)), r"SongUNet\.shape"),
        (lambda: make(ADM, (8,)), r"ADM\.shape"),
        (lambda: make(DhariwalUNet, multipliers=()), r"DhariwalUNet\.multipliers"),
        (lambda: make(ADM, heads=parts.HeadsOf(24)), r"HeadsOf\.size"),
        (lambda: make(ADM, channels=40), r"GroupNorm\.groups"),
        (lambda: make(SongUNet)(jnp.zeros((1, 8, 4, 1)), jnp.ones(1)), "shape of x"),
        (lambda: make(SongUNet)(jnp.zeros((1, 8, 8, 1)), jnp.ones(1), jnp.ones(1, int)), "n_classes"),
        (lambda: make(ADMClassifier)(jnp.zeros((1, 8, 8, 1)), jnp.ones(1), jnp.ones(1, int)), "label"),
        (
            lambda: make(ADMSuperResolution, heads=HEADS)(jnp.zeros((1, 8, 8, 1)), jnp.ones(1)),
            "low_res",
        ),
    ],
)
def test_mistakes(broken, named):
    with pytest.raises(InputError, match=named):
        broken()
