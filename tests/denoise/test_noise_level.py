"""Estimated noise against noise that was put in: pure, on smooth scenes, on photographs, of photons."""

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from score_sde.denoise import haar_std, noise_line, pca_std
from score_sde.errors import InputError

STD = 25.0


def noise(shape, std=STD, seed=0):
    return std * np.random.default_rng(seed).normal(size=shape)


def smooth(shape=(128, 128)):
    rows, columns = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    return 120 + 80 * np.sin(3 * rows) * np.cos(4 * columns + rows)


@pytest.mark.parametrize("std", [2.0, 15.0, 50.0])
def test_pure_noise(std):
    """16,384 values: to 3 %, as 1.2 / sqrt(n) of a median and the patches' spread allow."""
    assert haar_std(noise((128, 128), std)) == pytest.approx(std, rel=0.03)
    assert pca_std(noise((128, 128), std)) == pytest.approx(std, rel=0.03)
    assert haar_std(noise(16384, std), signal=True) == pytest.approx(std, rel=0.03)
    assert pca_std(noise(16384, std), signal=True) == pytest.approx(std, rel=0.03)
    assert haar_std(noise((128, 128), 1.05 * std)) != pytest.approx(std, rel=0.03)


@pytest.mark.parametrize("std", [2.0, 15.0, 50.0])
def test_smooth_scenes_and_edges(std):
    image = smooth() + noise((128, 128), std)
    image[:, 40:60] += 90.0  # edges are few
    assert haar_std(image) == pytest.approx(std, rel=0.03)
    assert pca_std(image) == pytest.approx(std, rel=0.05)
    time = np.linspace(0, 40, 8192)
    signal = 100 * np.sin(time) + 60 * (np.sin(0.3 * time) > 0) + noise(8192, std)
    assert haar_std(signal, signal=True) == pytest.approx(std, rel=0.04)


def test_photographs():
    """Texture is taken for noise: at least the noise, and a quarter more at most; the patches know better."""
    photograph = np.asarray(load_sample_images().images[0], np.float64)[100:228, 200:328]
    image = photograph + noise(photograph.shape)
    assert STD < haar_std(image) < 1.25 * STD
    assert pca_std(image) == pytest.approx(STD, rel=0.08)


def test_saturated_values_are_left_out():
    """Half of the picture is black, where 8 bits cut the noise."""
    image = smooth()
    image[:, :80] = 0.0
    seen = np.clip(image + noise(image.shape), 0, 255)
    assert haar_std(seen) < 0.8 * STD
    assert haar_std(seen[:, 82:], limits=(0, 255)) == pytest.approx(STD, rel=0.04)


@pytest.mark.parametrize(("gain", "std"), [(4.0, 0.0), (4.0, 10.0), (1.0, 20.0), (0.0, 20.0)])
def test_the_line_of_photon_noise(gain, std):
    """Counts of 5 to 200 at 256 x 256: the variance at black, middle and white to 12 %."""
    clean = smooth((256, 256))
    rng = np.random.default_rng(1)
    counted = gain * rng.poisson(clean / gain) if gain else clean
    line = noise_line(counted + noise(clean.shape, std, 2), low=0.0)
    for value in (60.0, 120.0, 190.0):
        assert line.variance(np.array(value)) == pytest.approx(gain * value + std**2, rel=0.12)
    assert line.gain == pytest.approx(gain, rel=0.2, abs=0.3)


def test_mistakes_are_told():
    for call, words in (
        (lambda: haar_std(np.zeros((4, 4))), "at least 32 places"),
        (lambda: haar_std(np.full((64, 64), np.nan)), "finite numbers"),
        (lambda: haar_std(np.zeros(64)), "an image"),
        (lambda: haar_std(np.zeros((4, 4, 4)), signal=True), "a signal"),
        (lambda: pca_std(np.zeros((8, 8, 3))), "patches"),
        (lambda: pca_std(np.zeros((4, 64))), "pca_std.patch"),
    ):
        with pytest.raises(InputError, match=words):
            call()
