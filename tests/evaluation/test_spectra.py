"""Spectra of waves, their sums, and distances that are known."""

import numpy as np
import pytest

from score_sde.dynamics import KolmogorovFlow
from score_sde.errors import InputError
from score_sde.evaluation.spectra import energy_spectrum, ring_spectrum, spectral_distance, temporal_spectrum


@pytest.mark.parametrize("n", [16, 17])
def test_a_wave_has_its_power_at_its_wave_number(n):
    place = np.arange(n) / n
    power = ring_spectrum(3 * np.cos(2 * np.pi * (4 * place + 0.1)) + 0.5)
    expected = np.zeros(n // 2 + 1)
    expected[[0, 4]] = 0.25, 4.5
    np.testing.assert_allclose(power, expected, atol=1e-12)
    noise = np.random.default_rng(0).normal(size=(5, n))
    assert ring_spectrum(noise).sum() == pytest.approx(np.mean(noise**2))  # Parseval


def test_slow_and_fast_in_time():
    """A wave of 10 periods is a line three frequencies wide by Hann's window, whatever its mean."""
    power = temporal_spectrum(7 + np.sin(2 * np.pi * 10 * np.arange(200) / 200))
    assert power.argmax() == 9
    assert power[8:11].sum() > 0.99 * power.sum()
    with pytest.raises(InputError, match="times of a series = 3"):
        temporal_spectrum(np.zeros(3))


def test_energy_is_that_of_the_velocity():
    """w = -k cos(k y) is that of u = sin(k y): energy 1/4; of any flow, the sum is the mean of u^2 / 2."""
    y = 2 * np.pi * np.arange(32) / 32
    shells = energy_spectrum(np.broadcast_to(-4 * np.cos(4 * y)[:, None], (2, 32, 32)))
    assert shells[3] == pytest.approx(0.25)
    assert shells.sum() == pytest.approx(0.25)
    flow = KolmogorovFlow(side=32)
    w = np.asarray(flow._force().astype(complex))  # a field whose modes are known
    assert energy_spectrum(np.fft.irfft2(w, s=(32, 32)))[3] == pytest.approx(0.25, rel=1e-5)


def test_distances_are_in_powers_of_ten():
    power = np.geomspace(1, 1e-3, 10)
    assert spectral_distance(power, power) == 0
    assert spectral_distance(10 * power, power) == pytest.approx(1)
    assert spectral_distance(1.05 * power, power) == pytest.approx(np.log10(1.05))
    with_rounding = np.append(power, 1e-12)
    assert spectral_distance(np.append(power, 1e-9), with_rounding) == 0
    with pytest.raises(InputError, match="spectra"):
        spectral_distance(power, power[1:])
