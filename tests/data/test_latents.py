"""Latents on disk: written whole, read by need, scaled; decoded for features."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import filled, quickly_compiled
from flax import nnx

from score_sde.data import Latents, LatentUnits, Synthetic, write_latents
from score_sde.denoisers import Autoencoder, Deterministic
from score_sde.errors import InputError
from score_sde.evaluation.features import Decoded, Pixels
from score_sde.networks import AutoencoderKL
from score_sde.objectives import Autoencoding
from score_sde.objectives.autoencoding import normal_divergence
from score_sde.sdes import VP

DATA = Synthetic(shape=(8, 8, 3), n_classes=5, size=20)


def halved(first, x):
    """Something like an encoder."""
    return np.asarray(x, float)[:, ::2, ::2, :2] / 100 + first / 1000


def test_written_and_read(tmp_path):
    told = []
    write_latents(tmp_path, DATA, halved, batch=8, report=told.append)
    assert told[2] == "train: 20 of 20"
    found = Latents(path=str(tmp_path), shape=(4, 4, 2), n_classes=5)
    batch, raw = found.split("train").batch(np.array([17, 3])), DATA.split("train").batch(np.array([17, 3]))
    np.testing.assert_allclose(batch["x"], halved(np.array([16, 0]).reshape(2, 1, 1, 1), raw["x"]), atol=2e-3)
    np.testing.assert_array_equal(batch["label"], raw["label"])
    assert len(found.split("validation")) == 5
    x = found.units.encode(jax.random.key(0), batch["x"])
    np.testing.assert_allclose(x, 0.18215 * batch["x"].astype(np.float32), rtol=1e-6)
    np.testing.assert_allclose(found.units.decode(x), batch["x"], rtol=1e-5, atol=1e-6)
    assert found.units.bits_per_dim(0.0, 1) == pytest.approx(-np.log2(0.18215))


def test_mistakes_are_told(tmp_path):
    with pytest.raises(InputError, match=r"data\.path .*a folder with train_x\.npy.*encode the images"):
        Latents(path=str(tmp_path), shape=(4, 4, 2)).split("train")
    write_latents(tmp_path, Synthetic(shape=(8, 8, 3), size=8), halved, batch=4)
    with pytest.raises(InputError, match=r"= \(4, 4, 2\): expected \(2, 2, 2\)"):
        Latents(path=str(tmp_path), shape=(2, 2, 2)).split("train")
    with pytest.raises(InputError, match=r"also train_label\.npy"):
        Latents(path=str(tmp_path), shape=(4, 4, 2), n_classes=3).split("train")
    with pytest.raises(InputError, match=r"LatentUnits\.scale = 0"):
        LatentUnits(scale=0.0)
    with pytest.raises(InputError, match="1 values not finite"):
        LatentUnits().check(np.array([1.0, np.nan]))


@pytest.mark.usefixtures("x64")
def test_divergence_by_quadrature():
    mean, variance = 0.7, 0.4
    grid = np.linspace(-12, 12, 200_001)
    density = np.exp(-0.5 * (grid - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)
    log_ratio = -0.5 * (grid - mean) ** 2 / variance - 0.5 * np.log(variance) + 0.5 * grid**2
    expected = np.trapezoid(density * log_ratio, grid)
    found = normal_divergence(jnp.full((1, 3), mean), jnp.full((1, 3), np.log(variance)))
    np.testing.assert_allclose(found, 3 * expected, rtol=1e-9)
    assert abs(3 * 1.05 * expected - float(found[0])) > 1e-2


def test_loss_and_features_of_a_small_autoencoder():
    options = {"channels": 4, "multipliers": (1,), "blocks": 1, "latent": 2, "groups": 2}
    network = filled(lambda: AutoencoderKL((4, 4, 1), rngs=nnx.Rngs(0), **options))
    x = jnp.asarray(np.random.default_rng(0).standard_normal((3, 4, 4, 1)), jnp.float32)

    @quickly_compiled
    def results(network, x):
        key, model = jax.random.key(0), Autoencoder(sde=VP(), network=network)
        posterior = network.encode(x)
        error = jnp.mean(jnp.square(network.decode(posterior.sample(key)) - x), axis=(1, 2, 3))
        weightless, heavy = (Autoencoding(kl_weight=w)(key, model, x) for w in (0.0, 16.0))
        evaluated = Autoencoding(kl_weight=0.0)(key, Deterministic.of(model), x)  # as held-out examples are
        return posterior, network.decode(posterior.mean), error, weightless, heavy, evaluated

    posterior, decoded, error, weightless, heavy, evaluated = results(network, x)
    assert posterior.mean.shape == (3, 4, 4, 2)
    np.testing.assert_allclose(weightless, error, rtol=1e-5)
    np.testing.assert_array_equal(evaluated, weightless)
    np.testing.assert_allclose(heavy - error, normal_divergence(*posterior), rtol=1e-4)
    latents = np.asarray(posterior.mean)
    features = Decoded(network=network, features=Pixels(), batch=2)
    images = np.clip(127.5 * (np.asarray(decoded) + 1), 0, 255)
    found = features(latents).reshape(images.shape)
    np.testing.assert_array_equal(found, np.round(found))
    np.testing.assert_allclose(found, images, atol=0.51)
    assert features.name == Pixels().name
