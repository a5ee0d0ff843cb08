"""Layers against their published formulas, written out in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks import layers
from score_sde.networks.layers import average_pool, nearest_upsample


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def randomise(module, seed=0):
    """The same module with every parameter drawn at random, so that no zero hides a mistake."""
    leaves, structure = jax.tree.flatten(module)
    return jax.tree.unflatten(
        structure, [jnp.asarray(0.3 * normal(seed + i, *a.shape)) for i, a in enumerate(leaves)]
    )


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_group_norm_is_wu_and_he(groups):
    x = 3 + 2 * normal(0, 2, 4, 5, 8)
    layer = randomise(layers.GroupNorm(8, groups=groups))
    grouped = x.astype(np.float64).reshape(2, 20, groups, 8 // groups)
    mean, variance = grouped.mean((1, 3), keepdims=True), grouped.var((1, 3), keepdims=True)
    expected = ((grouped - mean) / np.sqrt(variance + 1e-6)).reshape(x.shape)
    expected = expected * np.asarray(layer.scale[...]) + np.asarray(layer.bias[...])
    np.testing.assert_allclose(layer(jnp.asarray(x)), expected, atol=2e-5)


def test_group_norm_computes_statistics_in_float32():
    x = jnp.asarray(100 + normal(1, 2, 8, 8, 8), jnp.bfloat16)
    layer = layers.GroupNorm(8)
    assert layer(x).dtype == jnp.bfloat16
    exact = layer(x.astype(jnp.float32))
    np.testing.assert_array_equal(layer(x), exact.astype(jnp.bfloat16))


def test_group_norm_has_the_published_number_of_groups():
    assert [layers.GroupNorm(c).groups for c in (32, 64, 128, 256)] == [8, 16, 32, 32]
    with pytest.raises(InputError, match=r"GroupNorm\.groups"):
        layers.GroupNorm(10, groups=4)


@pytest.mark.parametrize("size", [1, 3])
def test_convolution_is_scipys_correlation(size):
    layer = randomise(layers.Conv(2, 3, size, rngs=nnx.Rngs(0)))
    x, kernel = normal(2, 1, 5, 6, 2), np.asarray(layer.kernel[...])
    expected = np.stack(
        [
            sum(scipy.signal.correlate2d(x[0, :, :, i], kernel[:, :, i, o], "same") for i in range(2))
            for o in range(3)
        ],
        axis=-1,
    ) + np.asarray(layer.bias[...])
    np.testing.assert_allclose(layer(jnp.asarray(x))[0], expected, atol=1e-5)


def test_strided_convolution_halves_the_resolution():
    assert layers.Conv(2, 3, stride=2, rngs=nnx.Rngs(0))(jnp.ones((1, 8, 6, 2))).shape == (1, 4, 3, 3)


def test_pointwise_convolution_has_the_gradients_of_lax():
    x, kernel = jnp.asarray(normal(3, 2, 4, 4, 3)), jnp.asarray(normal(4, 1, 1, 3, 5))

    def plain(x, kernel):
        return jax.lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    ours, theirs = (
        jax.grad(lambda x, w, f=f: jnp.sum(jnp.sin(f(x, w))), argnums=(0, 1))(x, kernel)
        for f in (layers.convolve, plain)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("heads", [1, 2])
def test_attention_is_the_softmax_formula(heads):
    layer = randomise(layers.SelfAttention(8, heads=heads, rescale=2.0, rngs=nnx.Rngs(0)))
    x = normal(5, 2, 3, 2, 8)
    qkv = np.asarray(layer.qkv(layer.norm(jnp.asarray(x)))).reshape(2, 6, 3, heads, 8 // heads)
    q, k, v = (qkv[:, :, i] for i in range(3))
    logits = np.einsum("bqhc,bkhc->bhqk", q, k) / np.sqrt(8 / heads)
    weights = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    mixed = np.einsum("bhqk,bkhc->bqhc", weights, v).reshape(2, 6, 8)
    out = mixed @ np.asarray(layer.out.kernel[...]) + np.asarray(layer.out.bias[...])
    np.testing.assert_allclose(layer(jnp.asarray(x)), (x + out.reshape(x.shape)) / 2, atol=1e-5)


def test_attention_does_not_care_where_pixels_stand():
    layer = randomise(layers.SelfAttention(8, rngs=nnx.Rngs(0)))
    x, order = jnp.asarray(normal(6, 2, 6, 8)), np.array([3, 1, 5, 0, 2, 4])
    np.testing.assert_allclose(layer(x[:, order]), layer(x)[:, order], atol=1e-5)


def test_heads_must_divide_channels():
    with pytest.raises(InputError, match=r"SelfAttention\.heads"):
        layers.SelfAttention(8, heads=3, rngs=nnx.Rngs(0))


def test_dropout_keeps_the_mean_and_the_stated_share():
    x, rate = jnp.ones((100, 1001)), 0.25
    y = np.asarray(layers.dropout(jax.random.key(0), x, rate))
    assert set(np.unique(y)) == {np.float32(0), np.float32(4 / 3)}
    dropped, error = np.mean(y == 0), np.sqrt(rate * (1 - rate) / y.size)
    assert abs(dropped - rate) < 4 * error < abs(1.05 * rate - rate)  # and 5 % off would be seen
    across = np.corrcoef((y[:, :-1] == 0).ravel(), (y[:, 1:] == 0).ravel())[0, 1]
    assert abs(across) < 4 / np.sqrt(y.size)


def test_dropout_needs_a_key_and_a_rate():
    x = jnp.ones((3, 5))
    assert layers.dropout(None, x, 0.5) is x
    assert layers.dropout(jax.random.key(0), x, 0.0) is x
    assert layers.dropout(jax.random.key(0), x.astype(jnp.bfloat16), 0.5).dtype == jnp.bfloat16


@pytest.mark.parametrize("shape", [(300, 200), (3, 3, 64, 32)])
def test_initialisation_has_variance_one_over_fan_average(shape):
    fan = np.prod(shape[:-2]) * (shape[-2] + shape[-1]) / 2
    w = np.asarray(layers.uniform_init(jax.random.key(0), shape))
    np.testing.assert_allclose(w.var() * fan, 1, rtol=0.03)
    np.testing.assert_allclose(abs(w).max(), np.sqrt(3 / fan), rtol=1e-3)
    assert not np.any(layers.uniform_init(jax.random.key(0), shape, 0.0))


def test_residual_block_starts_as_its_skip():
    x, embedding = jnp.asarray(normal(7, 2, 4, 4, 8)), jnp.asarray(normal(8, 2, 6))
    block = layers.ResidualBlock(8, 8, 6, layers.Style(rescale=2.0), rngs=nnx.Rngs(0))
    np.testing.assert_allclose(block(x, embedding), x / 2, atol=1e-6)
    halved = layers.ResidualBlock(8, 8, 6, resample=average_pool, rngs=nnx.Rngs(0))
    np.testing.assert_allclose(halved(x, embedding), average_pool(x), atol=1e-6)
    assert layers.ResidualBlock(8, 12, 6, rngs=nnx.Rngs(0))(x, embedding).shape == (2, 4, 4, 12)


def test_residual_block_sees_its_embedding():
    block = randomise(layers.ResidualBlock(8, 8, 6, rngs=nnx.Rngs(0)))
    x = jnp.asarray(normal(7, 2, 4, 4, 8))
    assert jnp.max(jnp.abs(block(x, jnp.ones((2, 6))) - block(x, jnp.zeros((2, 6))))) > 0.01


def test_resampling():
    x = normal(9, 2, 4, 6, 3)
    blocks = [x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    np.testing.assert_allclose(average_pool(jnp.asarray(x)), np.mean(blocks, axis=0), atol=1e-6)
    up = nearest_upsample(jnp.asarray(x))
    np.testing.assert_array_equal(up, x.repeat(2, axis=1).repeat(2, axis=2))
    np.testing.assert_allclose(average_pool(up), x, atol=1e-6)


@pytest.mark.parametrize(
    "layer", [layers.Linear(3, 4, rngs=nnx.Rngs(0)), layers.Conv(3, 4, rngs=nnx.Rngs(0))]
)
def test_gain_is_that_of_input_and_output(layer):
    layer, x = randomise(layer), jnp.asarray(normal(11, 2, 5, 6, 3))
    np.testing.assert_allclose(layer(0.7 * x, 0.7), 0.7 * layer(x), atol=2e-6)
    assert not np.allclose(layer(0.7 * x), 0.7 * layer(x), atol=1e-2)  # the bias is what it is for


def test_channels_beside_x_are_further_channels_of_x():
    block = randomise(layers.ResidualBlock(6, 4, 5, layers.Style(dropout=0.5), rngs=nnx.Rngs(0)))
    x, embedding, key = jnp.asarray(normal(12, 2, 4, 4, 6)), jnp.asarray(normal(13, 2, 5)), jax.random.key(0)
    apart = block(x[..., :2], embedding, beside=x[..., 2:], key=key)
    np.testing.assert_array_equal(apart, block(x, embedding, key=key))
