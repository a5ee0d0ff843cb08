"""Noise and class labels as vectors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.base import count, partition
from score_sde.networks.layers import FourierEmbedding, LabelEmbedding, PositionalEmbedding


def test_positional_embedding_is_the_transformers():
    # Vaswani et al. 2017 as DDPM uses it: wavelengths from 2 pi to 2 pi 10000 in a geometric row.
    labels, dim = np.array([0.0, 1.0, 37.5, 999.0]), 16
    expected = np.empty((4, dim))
    for i, label in enumerate(labels):
        for k in range(dim // 2):
            angle = label / 10_000 ** (k / (dim // 2 - 1))
            expected[i, k], expected[i, dim // 2 + k] = np.sin(angle), np.cos(angle)
    np.testing.assert_allclose(PositionalEmbedding(dim)(jnp.asarray(labels)), expected, atol=1e-4)


def test_frequencies_round_as_those_of_the_published_networks():
    """score_sde's ``get_timestep_embedding``: exp(arange(n) * -log(10000) / (n - 1)) in float32."""
    labels, k, step = np.array([500.0, 999.0]), np.arange(64), np.log(10_000) / 63
    exponents = k.astype(np.float32) * np.float32(-step)
    waves = np.exp(exponents.astype(float)).astype(np.float32)
    found = PositionalEmbedding(128)(jnp.asarray(labels, jnp.float32))
    angles = (labels[:, None].astype(np.float32) * waves).astype(float)
    np.testing.assert_allclose(found, np.concatenate([np.sin(angles), np.cos(angles)], 1), atol=1e-6)
    exact = labels[:, None] * np.exp(-step * k)  # seen at this tolerance, but no error of the embedding
    assert 1e-5 < np.max(np.abs(found[:, :64] - np.sin(exact))) < 1e-4


def test_scale_multiplies_labels():
    labels = jnp.linspace(-1, 1, 5)
    np.testing.assert_allclose(
        PositionalEmbedding(8, scale=40.0)(labels), PositionalEmbedding(8)(40 * labels), atol=1e-5
    )


def test_fourier_embedding_is_sines_and_cosines_of_fixed_frequencies():
    embedding = FourierEmbedding(4096, scale=3.0, rngs=nnx.Rngs(0))
    labels = jnp.asarray([-1.0, 0.0, 0.3])
    angles = 2 * np.pi * np.asarray(labels)[:, None] * np.asarray(embedding.frequencies[...])
    np.testing.assert_allclose(
        embedding(labels), np.concatenate([np.sin(angles), np.cos(angles)], 1), atol=1e-4
    )
    # random features of a Gaussian kernel (Rahimi and Recht 2007): E cos(2 pi w d) = exp(-2 (pi scale d)^2)
    features = embedding(jnp.asarray([0.0, 0.1]))
    kernel = float(features[0] @ features[1]) / 2048
    np.testing.assert_allclose(kernel, np.exp(-2 * (np.pi * 3.0 * 0.1) ** 2), atol=4 / np.sqrt(2 * 2048))


def test_fourier_frequencies_are_not_trained():
    embedding = FourierEmbedding(8, rngs=nnx.Rngs(0))
    assert set(partition(embedding)[0]) == {"frequencies"}  # so that checkpoints hold them
    assert count(embedding) == (0, 4)
    gradient = jax.grad(lambda e: jnp.sum(e(jnp.ones(2))))(embedding)
    np.testing.assert_array_equal(gradient.frequencies[...], 0.0)


@pytest.mark.parametrize("dim", [0, 2, 7])
def test_positional_embedding_needs_an_even_size(dim):
    with pytest.raises(InputError, match=r"PositionalEmbedding\.dim"):
        PositionalEmbedding(dim)


def test_class_labels_add_a_row_and_none_is_the_last():
    layer = LabelEmbedding(PositionalEmbedding(8), 8, 6, n_classes=3, rngs=nnx.Rngs(0))
    labels = jnp.asarray([1.0, 1.0, 1.0, 1.0])
    given, table = layer(labels, jnp.arange(4)), np.asarray(layer.classes[...])
    np.testing.assert_allclose(given - given[0], table - table[0], atol=1e-5)
    np.testing.assert_array_equal(layer(labels)[0], given[3])


def test_class_labels_need_a_network_with_classes():
    layer = LabelEmbedding(PositionalEmbedding(8), 8, 6, rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match="n_classes"):
        layer(jnp.ones(2), jnp.zeros(2, int))
