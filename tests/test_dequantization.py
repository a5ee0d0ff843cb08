"""Units: round trips, volume factors, and the bound on a tiny discrete space."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from score_sde.dequantization import Continuous, Rescaled, UniformDequantization
from score_sde.errors import InputError


@pytest.mark.parametrize("levels", [2, 17, 256, 65536])
def test_encode_then_decode_is_the_identity_in_float32(levels):
    raw = np.random.default_rng(0).integers(0, levels, 200_000)
    raw[:2] = 0, levels - 1
    units = UniformDequantization(levels=levels)
    x = units.encode(jax.random.key(0), raw)
    assert x.dtype == jnp.float32
    np.testing.assert_array_equal(units.decode(x), raw)
    assert float(x.min()) >= -1
    assert float(x.max()) <= 1


@pytest.mark.parametrize("kind", [UniformDequantization, Rescaled])
@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 1.0), (-0.3, 2.9)])
@pytest.mark.parametrize("levels", [2, 17, 256])
def test_every_level_comes_back_from_every_interval(kind, low, high, levels):
    raw = np.tile(np.arange(levels), 300)
    units = kind(levels=levels, low=low, high=high)
    x = np.asarray(units.encode(jax.random.key(0), raw))
    np.testing.assert_array_equal(units.decode(x), raw)
    assert low - 1e-6 <= x.min() <= low + (high - low) / levels
    assert high - (high - low) / levels <= x.max() <= high + 1e-6


def test_pixels_without_noise_are_the_originals_scalers():
    """score_sde's get_data_scaler: n / 255, and 2 n / 255 - 1 where centred; EDM's n / 127.5 - 1."""
    raw, key = np.arange(256, dtype=np.uint8), jax.random.key(0)
    plain, centred = Rescaled(levels=256, low=0.0), Rescaled(levels=256)
    np.testing.assert_allclose(plain.encode(key, raw), raw / 255, rtol=1e-6)
    np.testing.assert_allclose(centred.encode(key, raw), raw / 127.5 - 1, atol=1e-6)
    between = (raw[:-1] + 0.49) / 255
    np.testing.assert_array_equal(plain.decode(between), raw[:-1])  # the nearest, not the one below
    np.testing.assert_array_equal(plain.decode(between + 0.02 / 255), raw[1:])


def test_bits_per_dim_are_measured_on_cells():
    """The offsets of score_sde's likelihood.py: 7 bits on [-1, 1], 8 bits on [0, 1]; cells of 1/256."""
    for low, offset in ((-1.0, 7.0), (0.0, 8.0)):
        units = Rescaled(levels=256, low=low).dequantized
        np.testing.assert_allclose(units.bits_per_dim(0.0, 3072), offset, rtol=1e-12)
        x = np.asarray(units.encode(jax.random.key(0), np.full(1000, 255)))
        assert x.min() >= 1 - (1 - low) / 256 - 1e-6
    units = UniformDequantization(levels=17)
    assert units.dequantized is units


def test_dequantised_values_are_uniform_in_their_cell():
    """Kolmogorov-Smirnov against scipy's uniform; a cell 5 % too narrow is rejected."""
    units = UniformDequantization(levels=17)
    x = units.encode(jax.random.key(1), np.full(20_000, 5, np.uint8))
    u = np.asarray((x + 1) * 17 / 2 - 5)
    assert scipy.stats.kstest(u, "uniform").pvalue > 1e-3
    assert scipy.stats.kstest(0.95 * u, "uniform").pvalue < 1e-6


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_uniform_density_costs_log2_levels_bits(levels):
    nats = np.array([-64 * math.log(2.0)])  # the density 1/2 per dimension on [-1, 1]^64
    np.testing.assert_allclose(
        UniformDequantization(levels=levels).bits_per_dim(nats, 64), math.log2(levels), rtol=1e-12
    )


@pytest.mark.usefixtures("x64")
def test_bound_on_a_tiny_discrete_space():
    """Two pixels of three levels under a Gaussian density: cells partition it, and Jensen's bound holds.

    The probability of a cell is scipy's multivariate normal mass; the mean over the cell of bits_per_dim
    is at least -log2 of it per dimension (Theis et al. 2016).
    """
    units = UniformDequantization(levels=3)
    law = scipy.stats.multivariate_normal([0.1, -0.2], [[0.2, 0.05], [0.05, 0.15]])
    nodes, weights = np.polynomial.legendre.leggauss(12)
    grid = np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2)
    mean_weights = np.outer(weights, weights).ravel() / 4
    total, gaps = 0.0, []
    for n in itertools.product(range(3), repeat=2):
        low = 2 * np.array(n) / 3 - 1
        points = low + (grid + 1) / 3
        np.testing.assert_array_equal(units.decode(points), np.broadcast_to(n, points.shape))
        log_density = law.logpdf(points)
        mass = law.cdf(low + 2 / 3, lower_limit=low)
        np.testing.assert_allclose(mean_weights @ np.exp(log_density) * (2 / 3) ** 2, mass, rtol=1e-4)
        bits = mean_weights @ np.asarray(units.bits_per_dim(log_density, 2))
        gaps.append(bits + math.log2(mass) / 2)
        total += mass
    np.testing.assert_allclose(total, law.cdf([1, 1], lower_limit=[-1, -1]), rtol=1e-4)
    assert min(gaps) > 0
    assert max(gaps) > 0.05  # the bound is not an equality here: the sign is a statement


@pytest.mark.usefixtures("x64")
def test_continuous_units_and_their_volume():
    units = Continuous(low=-3.0, high=5.0)
    raw = np.linspace(-3, 5, 9)
    x = units.encode(jax.random.key(0), raw)
    np.testing.assert_allclose(x, np.linspace(-1, 1, 9), atol=1e-15)
    np.testing.assert_allclose(units.decode(x), raw, atol=1e-14)
    # N(1, 2^2) in raw units has differential entropy log2(2 sqrt(2 pi e)) bits (Shannon 1948).
    draws = np.random.default_rng(0).normal(size=2_000_000)
    log_density = scipy.stats.norm(0, 0.5).logpdf(units.encode(jax.random.key(0), 1 + 2 * draws))
    bits = float(np.mean(units.bits_per_dim(log_density, 1)))
    np.testing.assert_allclose(bits, math.log2(2 * math.sqrt(2 * math.pi * math.e)), atol=3e-3)


def test_nan_stays_nan_and_beyond_the_range_is_cut():
    decoded = UniformDequantization(levels=17).decode(jnp.array([jnp.nan, -3.0, 3.0]))
    np.testing.assert_array_equal(decoded, [np.nan, 0, 16])


@pytest.mark.parametrize(
    ("units", "raw", "message"),
    [
        (UniformDequantization(levels=17), [3, 17], "x = 17: expected integers from 0 to 16"),
        (UniformDequantization(levels=17), [0.5, 3], "x = 0.5: expected integers"),
        (UniformDequantization(levels=17), [-1, 3], "x = -1: "),
        (UniformDequantization(levels=17), [float("nan")], "x = nan: "),
        (Continuous(low=0.0, high=1.0), [0.5, 1.5], "x = 1.5: expected values from 0.0 to 1.0"),
    ],
)
def test_check_names_the_first_wrong_value(units, raw, message):
    with pytest.raises(InputError, match=message):
        units.check(np.array(raw), where="x")


def test_check_accepts_what_belongs():
    UniformDequantization(levels=17).check(np.arange(17))
    Continuous().check(np.linspace(-1, 1, 5))


@pytest.mark.parametrize(
    ("build", "where"),
    [
        (lambda: UniformDequantization(levels=1), "levels"),
        (lambda: UniformDequantization(levels=2.5), "levels"),
        (lambda: Rescaled(levels=1), "levels"),
        (lambda: UniformDequantization(levels=2, low=1.0), "high"),
        (lambda: Continuous(low=1.0, high=1.0), "high"),
    ],
)
def test_mistakes_are_named(build, where):
    with pytest.raises(InputError, match=where):
        build()
