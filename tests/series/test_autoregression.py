"""Autocovariances and the autoregressions that they determine, against closed forms."""

import numpy as np
import pytest
from scipy.linalg import toeplitz

from score_sde import series
from score_sde.errors import InputError


def second_order(first, second, lags):
    """Autocovariances of an AR(2) with noise of variance 1 (Box and Jenkins 1976, section 3.2.4)."""
    variance = (1 - second) / ((1 + second) * ((1 - second) ** 2 - first**2))
    rho = [1.0, first / (1 - second)]
    for _ in range(lags - 1):
        rho.append(first * rho[-1] + second * rho[-2])
    return variance * np.array(rho)


def test_the_recursion_finds_the_autoregression():
    r = second_order(1.3, -0.6, 6)
    found = series.autoregressions(r)
    np.testing.assert_allclose(found[2].coefficients, [1.3, -0.6], rtol=1e-10)
    np.testing.assert_allclose(found[5].coefficients, [1.3, -0.6, 0, 0, 0], atol=1e-10)
    assert found[5].noise == pytest.approx(1.0)
    assert found[1].coefficients[0] == pytest.approx(r[1] / r[0])


def test_autocovariances_go_on_as_the_autoregression_does():
    r = second_order(1.3, -0.6, 40)
    np.testing.assert_allclose(series.extended(r[:5], 2, 41), r, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(series.extended(r[:5], 0, 4), [r[0], 0, 0, 0])
    assert len(series.extended(r, 2, 3)) == 3


def test_of_a_long_series_the_order_and_the_coefficients_are_found():
    rng, u = np.random.default_rng(0), np.zeros(20100)
    for t in range(2, len(u)):
        u[t] = 1.3 * u[t - 1] - 0.6 * u[t - 2] + rng.normal()
    u = u[100:]
    r = series.autocovariance(u, 12)
    order = series.chosen_order(r, len(u))
    assert order >= 2  # the criterion takes too many now and then, never too few
    assert series.autoregressions(r)[order].noise == pytest.approx(1, rel=0.03)
    np.testing.assert_allclose(series.autoregressions(r)[2].coefficients, [1.3, -0.6], atol=0.02)
    u[rng.random(len(u)) < 0.1] = np.nan
    gappy = series.autocovariance(u, 12)
    assert gappy[0] == pytest.approx(r[0], rel=0.02)


def test_autocovariances_are_those_of_some_process_whatever_is_missing():
    rng = np.random.default_rng(1)
    for _ in range(20):
        u = np.where(rng.random(40) < 0.4, np.nan, rng.normal(size=40))
        assert np.linalg.eigvalsh(toeplitz(series.autocovariance(u, 25))).min() > -1e-12


@pytest.mark.parametrize("u", [np.full(9, np.nan), np.zeros(9), np.array([1.0, np.nan])])
def test_a_series_without_variation_is_refused(u):
    with pytest.raises(InputError, match="differ"):
        series.autocovariance(u, 1)


def test_numbers_whose_squares_are_none_are_refused():
    with pytest.raises(InputError, match="other units"):
        series.autocovariance(np.array([1.0, -2.0, 1e300]), 1)
