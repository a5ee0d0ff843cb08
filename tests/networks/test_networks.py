"""What every network must obey: shapes, conditioning, dropout keys, independence of examples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks import MLP, ReversibleUNet, UNet, partition

SHAPE = (8, 4, 2)


def unet(**options):
    options = {"channels": 8, "blocks": 1, "dropout": 0.5, "n_classes": 3, **options}
    return UNet(SHAPE, rngs=nnx.Rngs(0), **options)


def mlp(**options):
    options = {"width": 16, "depth": 2, "dropout": 0.5, "n_classes": 3, **options}
    return MLP.for_shape(SHAPE, rngs=nnx.Rngs(0), **options)


def reversible(**options):
    options = {"channels": 8, "blocks": 2, "dropout": 0.5, "n_classes": 3, **options}
    return ReversibleUNet(SHAPE, rngs=nnx.Rngs(0), **options)


def randomise(network):
    """Draw every parameter at random: networks start at zero output, where all laws hold trivially."""
    params, rebuild = partition(network)
    leaves, structure = jax.tree.flatten(params)
    rng = np.random.default_rng(0)
    drawn = [
        jnp.asarray(rng.standard_normal(a.shape) / np.sqrt(1 + a.size / a.shape[-1]), jnp.float32)
        for a in leaves
    ]
    return rebuild(jax.tree.unflatten(structure, drawn))


@pytest.fixture(scope="module", params=[unet, reversible, mlp], ids=["UNet", "ReversibleUNet", "MLP"])
def build(request):
    return request.param


@pytest.fixture(scope="module")
def network(build):
    return randomise(build())


@pytest.fixture(scope="module")
def apply():
    return jax.jit(lambda network, x, labels, cond, key: network(x, labels, cond, key=key))


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    x = jnp.asarray(rng.standard_normal((5, *SHAPE)), jnp.float32)
    return x, jnp.linspace(0, 900, 5), jnp.asarray([0, 1, 2, 3, 0])


def test_output_is_like_the_input_and_depends_on_all_of_it(network, apply, batch):
    x, labels, cond = batch
    out = apply(network, x, labels, cond, None)
    assert out.shape == x.shape
    assert out.dtype == x.dtype
    for other in ((2 * x, labels, cond), (x, labels + 5, cond), (x, labels, (cond + 1) % 3)):
        assert jnp.min(jnp.max(jnp.abs(apply(network, *other, None) - out), axis=(1, 2, 3))) > 1e-3


def test_examples_are_independent(network, apply, batch):
    x, labels, cond = batch
    out, order = apply(network, x, labels, cond, None), np.array([3, 1, 4, 0, 2])
    permuted = apply(network, x[order], labels[order], cond[order], None)
    np.testing.assert_allclose(permuted, out[order], atol=1e-5)
    changed = apply(network, x.at[1:].set(7.0), labels.at[1:].set(3.0), cond.at[1:].set(2), None)
    np.testing.assert_allclose(changed[0], out[0], atol=1e-5)


def test_dropout_is_a_function_of_the_key(network, apply, batch):
    keys = jax.random.split(jax.random.key(0))
    first, again, other = (apply(network, *batch, key) for key in (keys[0], keys[0], keys[1]))
    still = apply(network, *batch, None)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(still, apply(network, *batch, None))
    assert jnp.max(jnp.abs(first - other)) > 1e-3
    assert jnp.max(jnp.abs(first - still)) > 1e-3


def test_no_class_is_the_last_label(network, apply, batch):
    x, labels, _ = batch
    none = apply(network, x, labels, jnp.full(5, 3), None)
    np.testing.assert_allclose(apply(network, x, labels, None, None), none, atol=1e-6)


def test_networks_start_at_zero(build, apply, batch):
    x, labels, _ = batch
    np.testing.assert_array_equal(apply(build(n_classes=None), x, labels, None, None), 0.0)


def test_bfloat16_computes_the_same_to_its_precision(build, network, apply, batch):
    low = randomise(build(dtype=jnp.bfloat16))
    assert all(a.dtype == jnp.float32 for a in jax.tree.leaves(partition(low)[0]))
    out, exact = apply(low, *batch, None), apply(network, *batch, None)
    assert out.dtype == jnp.float32
    assert jnp.linalg.norm(out - exact) < 0.05 * jnp.linalg.norm(exact)


def test_class_labels_need_classes(build, batch):
    with pytest.raises(InputError, match="n_classes"):
        build(n_classes=None)(*batch)


def test_wrong_shape_is_named(network, batch):
    with pytest.raises(InputError, match=r"shape of x = \(5, 4, 8, 2\)"):
        network(batch[0].swapaxes(1, 2), batch[1])


@pytest.mark.parametrize(
    ("shape", "multipliers"), [((6, 6, 1), (1, 1, 1)), ((8, 7, 1), (1, 1)), ((64,), (1,)), ((8, 8, 1), ())]
)
def test_unet_needs_a_resolution_it_can_halve(shape, multipliers):
    with pytest.raises(InputError, match=r"UNet\.(shape|multipliers)"):
        UNet(shape, multipliers=multipliers, rngs=nnx.Rngs(0))


def test_unet_puts_attention_where_asked():
    sizes = {"none": (), "4": (4,), "8 and 4": (8, 4)}
    counts = {
        name: sum(stage.attention is not None for part in (n.down, n.middle, n.up) for stage in part)
        for name, n in ((name, unet(attention_resolutions=r)) for name, r in sizes.items())
    }
    assert counts == {"none": 0, "4": 1 + 1 + 2, "8 and 4": 2 + 1 + 4}


def test_mlp_works_on_plain_vectors():
    assert MLP(rngs=nnx.Rngs(0))(jnp.ones((4, 2)), jnp.ones(4)).shape == (4, 2)
    assert MLP.for_shape((3, 3), width=8, rngs=nnx.Rngs(0))(jnp.ones((4, 3, 3)), jnp.ones(4)).shape == (
        4,
        3,
        3,
    )
