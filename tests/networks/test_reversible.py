"""Reversible towers: their function, its gradients against ordinary ones, what the backward pass keeps."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import filled
from flax import nnx
from untrained import save_untrained

from score_sde.config import build, load_config, override, to_json
from score_sde.errors import InputError
from score_sde.experiment import restore
from score_sde.interop.base import flatten
from score_sde.interop.dit import tower_sources
from score_sde.modes import keep_config
from score_sde.networks import DiT, ReversibleUNet, partition
from score_sde.networks.layers import (
    DIT_STYLE,
    ROTARY,
    SCANNED,
    AdaptiveBlock,
    FixedPointStreams,
    FloatStreams,
    Grouped,
    Reversible,
)
from score_sde.training import CheckpointWriter

WIDTH, TOKENS, DROPOUT = 8, 4, 0.25
KEY = jax.random.key(5)


def block(rngs, dropout=DROPOUT, dtype=jnp.float32):
    return AdaptiveBlock(WIDTH, 2, DIT_STYLE, dropout=dropout, dtype=dtype, rngs=rngs)


def tower(layers, depth=3, **options):
    """One with every parameter at random, so that each block changes its input."""
    return filled(lambda: layers.tower(functools.partial(block, **options), depth, nnx.Rngs(0)))


def wide(tree):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), tree)


def inputs(batch=2, dtype=np.float32):
    rng = np.random.default_rng(1)
    hidden, told = rng.standard_normal((batch, TOKENS, WIDTH)), rng.standard_normal((batch, WIDTH))
    return jnp.asarray(hidden, dtype), jnp.asarray(told, dtype)


ROTATION = ROTARY.rotation((TOKENS,), WIDTH // 2, 0)


def loss(run, hidden, told, key=KEY):
    """A number that depends on every output."""
    out = run(hidden, told, ROTATION, key=key)
    return jnp.sum(out * jnp.linspace(-1, 1, out.size).reshape(out.shape))


def unstacked(tower):
    return [jax.tree.map(lambda leaf, i=i: leaf[i], tower.coupled) for i in range(tower.depth)]


def by_hand(tower):
    """The same two streams, block after block, differentiated as JAX does."""
    each = unstacked(tower)

    def run(hidden, *told, key):
        odd, even = hidden, hidden
        for number, one in enumerate(each):
            added = one(even, *told, key=jax.random.fold_in(key, number)) - even
            odd, even = even, odd + added
        return (odd + even) / 2

    return run


def leaf_errors(found, expected):
    """Of each leaf, in units of its largest number."""
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True)
    return [float(jnp.max(jnp.abs(a - b)) / jnp.max(jnp.abs(b))) for a, b in pairs]


@jax.jit
def both_ways(tower, hidden, told):
    """Values and gradients of the tower and of the loop by hand, to parameters and all that is told."""
    found = jax.value_and_grad(lambda *args: loss(*args), argnums=(0, 1, 2))(tower, hidden, told)
    ordinary = jax.value_and_grad(lambda tower, *args: loss(by_hand(tower), *args), argnums=(0, 1, 2))
    return found, ordinary(tower, hidden, told)


@pytest.mark.usefixtures("x64")
def test_values_and_gradients_are_those_of_ordinary_differentiation():
    """With dropout: the backward pass has the masks of the forward pass."""
    network = wide(tower(Reversible()))
    found, expected = both_ways(network, *inputs(dtype=np.float64))
    assert abs(float(expected[0])) > 0.1
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
    assert max(leaf_errors(found[1], expected[1])) < 1e-10


@dataclasses.dataclass(frozen=True)
class Leaky(FloatStreams):
    """Takes away five percent less than was added."""

    def subtract(self, stream, change, kept):
        return stream - 0.95 * change


@pytest.mark.usefixtures("x64")
def test_five_percent_less_taken_away_would_be_seen():
    network = wide(tower(Reversible(streams=Leaky())))
    found, expected = both_ways(network, *inputs(dtype=np.float64))
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
    assert max(leaf_errors(found[1], expected[1])) > 1e-3


# ---------------------------------------------------------------- rebuilt activations


@jax.jit
def retraced(tower, hidden, told):
    return tower.retraced(hidden, told, ROTATION, key=KEY, cotangent=jnp.ones_like(hidden))


def rebuilding_error(layers, depth=6, **options):
    found = retraced(tower(layers, depth, **options), *inputs(batch=8, dtype=np.float32))
    return max(leaf_errors(found.rebuilt, found.entered))


@pytest.mark.usefixtures("x64")
def test_the_way_back_ends_where_the_way_there_began():
    network = wide(tower(Reversible(), depth=6))
    found = retraced(network, *inputs(batch=8, dtype=np.float64))
    assert max(leaf_errors(found.rebuilt, found.entered)) < 1e-12


def test_fixed_point_streams_are_rebuilt_to_the_last_bit():
    """Floating-point ones are not; their error is that of single precision."""
    network = tower(Reversible(streams=FixedPointStreams()), depth=6)
    found = retraced(network, *inputs(batch=8))
    for before, after in zip(found.entered, found.rebuilt, strict=True):
        assert before.dtype == jnp.int32
        assert jnp.std(before) > 1000  # steps of the grid
        np.testing.assert_array_equal(after, before)
    assert 0 < rebuilding_error(Reversible()) < 1e-4


@pytest.mark.parametrize("bits", [8, 14])
def test_fixed_point_values_and_gradients_are_near_those_of_numbers(bits):
    """To the size of the grid, whose rounding gradients pass."""
    fixed, smooth = (
        tower(Reversible(streams=streams)) for streams in (FixedPointStreams(bits=bits), FloatStreams())
    )
    gradient = jax.jit(jax.value_and_grad(lambda *args: loss(*args)))
    (value, found), (exact, expected) = (gradient(net, *inputs()) for net in (fixed, smooth))
    assert 0 < abs(value - exact) < 20 * 2.0**-bits * abs(exact)
    assert 0 < max(leaf_errors(found, expected)) < 20 * 2.0**-bits


def test_streams_are_wider_than_what_blocks_compute_in():
    """Held in bfloat16 themselves, they would be rebuilt with errors of its eight bits."""
    low = {"dtype": jnp.bfloat16}
    kept = rebuilding_error(Reversible(), **low)
    hidden, told = (a.astype(jnp.bfloat16) for a in inputs(batch=8))
    narrow = tower(Reversible(streams=FloatStreams(least=jnp.bfloat16)), 6, **low)
    lost = max(leaf_errors(*retraced(narrow, hidden, told)[1::-1]))
    assert kept < 1e-4
    assert lost > 1e-3


def test_bfloat16_computes_the_same_to_its_precision():
    low, high = (tower(Reversible(), dtype=kind) for kind in (jnp.bfloat16, jnp.float32))
    hidden, told = inputs(batch=8)
    gradient = jax.jit(jax.value_and_grad(lambda *args: loss(*args)))
    value, found = gradient(low, hidden.astype(jnp.bfloat16), told.astype(jnp.bfloat16))
    exact, expected = gradient(high, hidden, told)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(found))
    assert abs(value - exact) < 0.05 * abs(exact)
    found, expected = (np.concatenate([np.ravel(a) for a in jax.tree.leaves(g)]) for g in (found, expected))
    assert 1e-4 < np.linalg.norm(found - expected) / np.linalg.norm(expected) < 0.05


# ---------------------------------------------------------------- memory


def temporaries(layers, depth):
    """Bytes that a gradient's program allocates beside its arguments and results."""
    network, arguments = tower(layers, depth), inputs(batch=64)
    gradient = jax.jit(jax.grad(lambda *args: loss(*args), argnums=(0, 1, 2)))
    return gradient.lower(network, *arguments).compile().memory_analysis().temp_size_in_bytes


def does_not_grow(layers):
    return temporaries(layers, 16) <= 1.05 * temporaries(layers, 4)


def test_memory_does_not_grow_with_depth():
    assert does_not_grow(Reversible())


def test_memory_of_fixed_point_streams_grows_by_a_bit():
    """For each number of a stream and block, as their page says."""
    fixed = Reversible(streams=FixedPointStreams())
    grown = temporaries(fixed, 16) - temporaries(fixed, 4)
    bits = 12 * inputs(batch=64)[0].size
    assert bits <= 8 * grown <= 1.2 * bits + 0.05 * 8 * temporaries(fixed, 4)


def test_memory_of_an_ordinary_loop_does():
    assert not does_not_grow(SCANNED)
    assert not does_not_grow(Grouped())
    assert temporaries(Grouped(), 16) < 0.7 * temporaries(SCANNED, 16)


# ---------------------------------------------------------------- what it is told, and how it may be used


def test_without_a_key_every_mode_of_differentiation_works():
    """And the value is that of a call with a key where there is no dropout."""
    network, (hidden, told) = tower(Reversible(), dropout=0.0), inputs()

    @jax.jit
    def found(network, hidden, told):
        def run(hidden):
            return network(hidden, told, ROTATION)

        value, slope = jax.jvp(run, (hidden,), (jnp.ones_like(hidden),))
        _, pull = jax.vjp(lambda hidden: network(hidden, told, ROTATION, key=KEY), hidden)
        keyed = network(hidden, told, ROTATION, key=KEY)
        return value, keyed, jnp.sum(slope * told[:, None]), jnp.sum(pull(told[:, None] + 0 * hidden)[0])

    value, keyed, forward, reverse = found(network, hidden, told)
    np.testing.assert_allclose(value, keyed, atol=1e-6)
    np.testing.assert_allclose(forward, reverse, rtol=1e-4)


def dit(layers, **options):
    options = {"patch": 2, "width": 16, "depth": 2, "heads": 2, "outputs": 1, "n_classes": 3, **options}
    return DiT((4, 4, 1), layers=layers, rngs=nnx.Rngs(0), **options)


def test_a_dit_takes_it_and_its_parameters_are_no_other_towers():
    """As many as an ordinary one's, stacked, but by another name: they are those of another function."""
    own, other = (partition(jax.eval_shape(lambda k=k: dit(k)))[0] for k in (Reversible(), SCANNED))
    names = {name.replace("coupled", "stacked"): leaf.shape for name, leaf in flatten(own)}
    assert names == {name: leaf.shape for name, leaf in flatten(other)}
    assert {name.split(".")[1] for name, _ in flatten(own) if name.startswith("blocks")} == {"coupled"}


def test_conditions_reach_it_and_have_gradients():
    network, x = filled(lambda: dit(Reversible(), dropout=0.3)), jnp.ones((2, 4, 4, 1))
    params, rebuild = partition(network)

    @jax.jit
    def gradient(params, key):
        def value(params):
            return jnp.sum(jnp.square(rebuild(params)(x, jnp.ones(2), jnp.array([0, 2]), key=key)))

        return jax.value_and_grad(value)(params)

    (value, found), (other, _) = (gradient(params, jax.random.key(seed)) for seed in (0, 1))
    assert abs(value - other) > 1e-3
    rows = found["mapping"]["last"]["rows"]
    np.testing.assert_array_equal(jnp.any(rows != 0, axis=1), [True, False, True, False])
    assert all(jnp.any(leaf != 0) for leaf in jax.tree.leaves(found["blocks"]))


# ---------------------------------------------------------------- the U-Net


UNET = {"shape": (4, 4, 2), "channels": 8, "blocks": 2, "attention_resolutions": (2,), "n_classes": 3}


def unet(**options):
    return ReversibleUNet(rngs=nnx.Rngs(0), **{**UNET, "dropout": 0.0, **options})


@pytest.mark.usefixtures("x64")
def test_gradients_of_the_u_net_are_ordinary_ones():
    """With a key they are by rebuilding; without one, by keeping. To 1e-9 also where skips leave a tower."""
    params, rebuild = partition(wide(filled(unet)))
    x = jnp.asarray(np.random.default_rng(2).standard_normal((2, 4, 4, 2)))

    @jax.jit
    def gradients(params):
        def value(params, key):
            out = rebuild(params)(x, jnp.array([1.0, 5.0]), jnp.array([0, 3]), key=key)
            return jnp.sum(out * jnp.linspace(-1, 1, out.size).reshape(out.shape))

        return [jax.value_and_grad(value)(params, key) for key in (KEY, None)]

    (value, found), (expected_value, expected) = gradients(params)
    np.testing.assert_allclose(value, expected_value, rtol=1e-12)
    for (name, one), (_, other) in zip(flatten(found), flatten(expected), strict=True):
        np.testing.assert_allclose(
            one, other, atol=1e-9 * max(1.0, float(jnp.max(jnp.abs(other)))), err_msg=name
        )


def test_memory_of_the_u_net_does_not_grow_with_blocks():
    """With dropout, whose masks a backward pass may be tempted to keep."""

    def needed(blocks):
        network = unet(
            shape=(8, 8, 1), multipliers=(1,), attention_resolutions=(), blocks=blocks, dropout=0.1
        )
        x = jnp.ones((64, 8, 8, 1))
        gradient = jax.jit(jax.grad(lambda network, key: jnp.sum(network(x, jnp.ones(64), key=key) ** 2)))
        return gradient.lower(network, KEY).compile().memory_analysis().temp_size_in_bytes

    assert needed(12) <= 1.05 * needed(3)


def test_the_u_net_has_towers_where_the_resolution_stays():
    """Signals as well as images; attention where it was asked for."""
    network = jax.eval_shape(lambda: unet(shape=(8, 1), multipliers=(1, 2, 2), blocks=3))
    assert [level.tower.depth for level in (*network.down, *network.up)] == [3] * 5
    attended = [level.tower.coupled.attention is not None for level in network.down]
    assert attended == [False, False, True]
    out = jax.eval_shape(lambda net: net(jnp.ones((2, 8, 1)), jnp.ones(2), key=KEY), network)
    assert out.shape == (2, 8, 1)


# ---------------------------------------------------------------- groups


def test_groups_change_memory_and_no_number():
    towers = [tower(kind, 4) for kind in (SCANNED, Grouped(), Grouped(groups=4), Grouped(remat=True))]
    gradient = jax.jit(jax.value_and_grad(lambda *args: loss(*args)))
    (value, expected), *others = (gradient(each, *inputs()) for each in towers)
    assert [each.groups for each in towers[1:]] == [2, 4, 2]
    for other, found in others:
        np.testing.assert_allclose(other, value, rtol=1e-5)
        assert max(leaf_errors(found, expected)) < 1e-4


# ---------------------------------------------------------------- configurations and mistakes


def test_every_transformer_configuration_can_be_reversible():
    """By its variant, or by naming the part on the command line."""
    files = "digits_dit.py:reversible", "dit/imagenet_256.py:s_8_reversible", "sit/imagenet_512.py:reversible"
    for name in files:
        assert build(load_config(f"configs/{name}")).network.keywords["layers"] == Reversible()
    config = load_config("configs/digits_dit.py")
    override(config, "network.layers", "score_sde.networks.layers:Reversible")
    override(config, "network.layers.streams", "score_sde.networks.layers:FixedPointStreams")
    assert build(config).network.keywords["layers"] == Reversible(streams=FixedPointStreams())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tower(Reversible(), 1), r"depth of Reversible = 1: expected at least 2 blocks"),
        (lambda: unet(blocks=1), r"depth of Reversible = 1: expected at least 2 blocks"),
        (
            lambda: tower(Grouped(groups=3), 4),
            r"Grouped\.groups = 3: expected a divisor of depth = 4: \[1, 2, 4\]",
        ),
        (lambda: FixedPointStreams(bits=31), r"FixedPointStreams\.bits = 31: expected 1 to 24"),
        (lambda: unet(shape=(6, 6, 1), multipliers=(1, 1, 1)), r"ReversibleUNet\.shape = \(6, 6, 1\)"),
    ],
)
def test_mistakes_are_one_line(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


class Widening(nnx.Module):
    """A block that is none: its output is not like its input."""

    def __call__(self, x, *, key=None):
        return jnp.concatenate([x, x], axis=-1)


def test_a_block_that_changes_the_shape_is_named():
    with pytest.raises(InputError, match=r"output of a block of Reversible = \(2, 4, 16\)"):
        Reversible().tower(lambda rngs: Widening(), 2, nnx.Rngs(0))(inputs()[0])


def test_released_weights_are_not_put_into_it():
    network = jax.eval_shape(lambda: dit(Reversible()))
    with pytest.raises(InputError, match=r"network\.layers = 'Reversible\(\)': expected Unrolled\(\)"):
        tower_sources(network.blocks)


def test_a_checkpoint_of_another_tower_is_refused(tmp_path):
    """Its parameters are as many, and of the same shapes."""
    save_untrained("digits_dit.py:tiny", tmp_path)
    config = load_config("configs/digits_dit.py:tiny")
    override(config, "network.layers", "score_sde.networks.layers:Reversible")
    told = r"it has network\.blocks\.each\.0\.\S+, this network network\.blocks\.coupled\.\S+; set"
    with pytest.raises(InputError, match=told) as caught:
        restore(build(config), tmp_path)
    assert "\n" not in str(caught.value)


def held(layers, remat=None):
    """The small run of digits with its blocks in another way."""
    config = load_config("configs/digits_dit.py:tiny")
    override(config, "network.layers", f"score_sde.networks.layers:{layers}")
    if remat is not None:
        override(config, "network.layers.remat", remat)
    return config


def test_a_run_may_go_on_with_blocks_that_keep_less(tmp_path):
    """The same function of the same parameters: of a loop in a loop with remat, or in groups."""
    (tmp_path / "config.json").write_text(to_json(held("Scanned")))
    first = build(held("Scanned"))
    state, _ = first.make_state()
    with CheckpointWriter(tmp_path / "checkpoints", first.identity(state)) as checkpoints:
        checkpoints.save(state, {"train_seconds": 0.0})
    x = jnp.asarray(np.random.default_rng(0).standard_normal((2, *first.data.shape)), jnp.float32)
    expected = restore(first, tmp_path).model(x, 0.5)
    for config in (held("Scanned", "true"), held("Grouped")):
        other = build(config)
        keep_config(config, tmp_path, other.may_change, write=False)
        np.testing.assert_allclose(restore(other, tmp_path).model(x, 0.5), expected, rtol=1e-5)


def test_objectives_that_ask_for_forward_mode_are_told():
    config = held("Reversible")
    override(config, "objective", "score_sde.objectives:SlicedScoreMatching")
    run = build(config)
    state, rebuild = run.make_state()
    batch = run.data.batches("train", run.training.batch_size, seed=0)[0]
    with pytest.raises(InputError, match=r"network.*forward mode.*Scanned\(remat=True\)"):
        jax.eval_shape(run.make_step(rebuild), jax.random.key(0), state, batch)
