"""A U-Net along time, convolutions on a ring, channels beside x, and frames as channels."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import filled
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks import MLP, Beside, FramesAsChannels, SongUNet, TemporalUNet
from score_sde.networks.frames import as_channels
from score_sde.networks.layers import Conv, WrappingConv

SMALL = functools.partial(TemporalUNet, channels=8, blocks=1)


@functools.partial(jax.jit, static_argnames="keyed")
def apply(network, x, labels, cond=None, keyed=False):
    return network(x, labels, cond, key=jax.random.key(3) if keyed else None)


@pytest.fixture(scope="module")
def network():
    return filled(lambda: SMALL((7, 2), n_classes=3, dropout=0.5, rngs=nnx.Rngs(0)))


@pytest.fixture
def batch():
    x = np.random.default_rng(1).normal(size=(3, 7, 2))
    return jnp.asarray(x, jnp.float32), jnp.linspace(0, 900, 3), jnp.asarray([0, 1, 2])


def test_it_depends_on_all_of_its_input_at_any_length(network, batch):
    """Seven is odd, with two levels: the last value is repeated once, and cut again."""
    x, labels, cond = batch
    out = apply(network, x, labels, cond)
    assert (out.shape, out.dtype) == (x.shape, x.dtype)
    others = ((2 * x, labels, cond), (x, labels + 50, cond), (x, labels, (cond + 1) % 3))
    for other in others:
        assert jnp.min(jnp.max(jnp.abs(apply(network, *other) - out), axis=(1, 2))) > 1e-3
    last = apply(network, x.at[:, -1].add(1.0), labels, cond)
    assert jnp.max(jnp.abs(last - out)[:, 0]) > 1e-5  # by attention and norms, the first place too
    assert jnp.max(jnp.abs(apply(network, x, labels, cond, keyed=True) - out)) > 1e-3


def test_examples_are_independent(network, batch):
    x, labels, cond = batch
    out = apply(network, x, labels, cond)
    changed = apply(network, x.at[1:].set(5.0), labels.at[1:].set(3.0), cond.at[1:].set(0))
    np.testing.assert_allclose(changed[0], out[0], atol=1e-5)


def test_it_starts_at_zero_and_is_told_of_nothing_else(batch):
    fresh = SMALL((7, 2), rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match="cond of TemporalUNet = 'label'"):
        fresh(*batch)
    np.testing.assert_array_equal(apply(fresh, *batch[:2]), 0.0)


@pytest.mark.parametrize(
    ("shape", "options", "told"),
    [
        ((8, 8, 1), {}, r"TemporalUNet.shape = \(8, 8, 1\)"),
        ((8, 1), {"multipliers": ()}, "TemporalUNet.multipliers"),
        ((8, 1), {"kernel": 0}, "TemporalUNet.kernel = 0"),
    ],
)
def test_what_it_cannot_be_is_told(shape, options, told):
    with pytest.raises(InputError, match=told):
        SMALL(shape, rngs=nnx.Rngs(0), **options)


def test_a_convolution_on_a_ring_is_one_of_a_longer_line():
    """Of three turns of the ring the middle one knows no end."""
    kernel = {"kernel_size": 5, "rank": 1, "dilation": 2}
    ring, line = (kind(2, 3, rngs=nnx.Rngs(0), **kernel) for kind in (WrappingConv, Conv))
    x = jax.random.normal(jax.random.key(0), (2, 9, 2))
    turns = line(jnp.tile(x, (1, 3, 1)))
    np.testing.assert_allclose(ring(x), turns[:, 9:18], atol=1e-5)
    assert jnp.max(jnp.abs(line(x) - ring(x))) > 0.1


def test_networks_on_a_ring_know_no_place():
    """Shifts by whole places of the lowest resolution go through; with zeros at the ends they do not."""
    options = {"channels": 8, "multipliers": (1, 2), "blocks": 1, "attention_resolutions": (), "dropout": 0.0}
    x, labels = jax.random.normal(jax.random.key(1), (1, 12, 2)), jnp.ones(1)
    gaps = {}
    for conv in (WrappingConv, Conv):
        each = filled(lambda conv=conv: SongUNet((12, 2), conv=conv, rngs=nnx.Rngs(0), **options))
        turned = jnp.roll(apply(each, x, labels), 2, axis=1)
        gaps[conv] = float(jnp.max(jnp.abs(apply(each, jnp.roll(x, 2, axis=1), labels) - turned)))
    assert gaps[WrappingConv] < 1e-4 < 1e-2 < gaps[Conv]


def test_what_is_beside_is_seen_and_not_returned():
    made = functools.partial(MLP.for_shape, width=16, depth=1)
    beside = filled(lambda: Beside(made, (2,), channels=3, rngs=nnx.Rngs(0)))
    x, told = jnp.ones((4, 2)), jnp.ones((4, 3))
    out = beside(x, jnp.ones(4), {"beside": told})
    assert out.shape == (4, 2)
    assert jnp.max(jnp.abs(beside(x, jnp.ones(4), {"beside": 2 * told}) - out)) > 1e-3
    for wrong in (None, {"beside": told[:, :2]}):
        with pytest.raises(InputError, match=r"Beside: shape of cond\['beside'\]"):
            beside(x, jnp.ones(4), wrong)
    with pytest.raises(InputError, match="cond of TemporalUNet = 'beside'"):
        SMALL((7, 2), rngs=nnx.Rngs(0))(jnp.ones((1, 7, 2)), jnp.ones(1), {"beside": jnp.ones((1, 7, 1))})


class Doubled(nnx.Module):
    """Says which channel is which."""

    def __init__(self, shape, *, rngs):
        self.shape = shape

    def __call__(self, x, labels, cond=None, *, key=None):
        assert x.shape[1:] == self.shape
        return x * jnp.arange(1.0, 1 + x.shape[-1])


def test_frames_are_channels_and_come_back():
    x = jax.random.normal(jax.random.key(2), (2, 3, 5, 4, 2))
    out = FramesAsChannels(Doubled, (3, 5, 4, 2), rngs=nnx.Rngs(0))(x, jnp.ones(2))
    factors = jnp.arange(1.0, 7.0).reshape(3, 1, 1, 2)
    np.testing.assert_allclose(out, x * factors, rtol=1e-6)
    np.testing.assert_array_equal(as_channels(x)[..., 2:4], x[:, 1])
