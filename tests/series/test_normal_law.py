"""The normal law of windows: forecasts and interpolations of processes whose answers are known."""

import numpy as np
import pytest
from scipy.linalg import toeplitz

from score_sde import series
from score_sde.errors import InputError
from score_sde.series import NormalLaw, Windows

PHI, LENGTH = 0.8, 12
FIRST = np.zeros(1, int)  # the phase of one window


def autoregressive(phi=PHI, means=(0.0,), length=LENGTH):
    variance = 1 / (1 - phi**2)
    return NormalLaw(np.array(means), variance * toeplitz(phi ** np.arange(length)), variance**0.5)


def test_forecasts_of_a_first_order_autoregression():
    """phi^h y and (1 - phi^2h) / (1 - phi^2) (Brockwell and Davis 1991, example 5.3.1)."""
    y, steps = np.random.default_rng(0).normal(size=(1, LENGTH)), np.arange(1, 6)
    given = autoregressive().conditional(series.past(LENGTH, 5))
    mean = autoregressive().hidden_means(given, y, FIRST)[0]
    np.testing.assert_allclose(mean, PHI**steps * y[0, -6], rtol=1e-6)
    covariance = given.factor @ given.factor.T
    np.testing.assert_allclose(np.diag(covariance), (1 - PHI ** (2 * steps)) / (1 - PHI**2), rtol=1e-6)


def test_a_value_between_two():
    """phi (y_- + y_+) / (1 + phi^2) with variance 1 / (1 + phi^2)."""
    y = np.random.default_rng(1).normal(size=(1, LENGTH))
    given = autoregressive().conditional(series.but_a_block(LENGTH, 1, 4))
    mean = autoregressive().hidden_means(given, y, FIRST)[0, 0]
    assert mean == pytest.approx(PHI * (y[0, 3] + y[0, 5]) / (1 + PHI**2))
    assert given.factor[0, 0] ** 2 == pytest.approx(1 / (1 + PHI**2))


def random_walk(length=LENGTH):
    return series.normal_law._integrated(np.zeros(1), np.eye(length), 0.0, 0)


def test_a_random_walk_is_a_bridge_between_what_is_seen_at_any_level():
    """A straight line, with variance k (n - k) / n; the future stays at the last value, with variance h."""
    law, y = random_walk(), 1e3 + np.random.default_rng(2).normal(size=(1, LENGTH))
    given = law.conditional(series.but_a_block(LENGTH, 3, 4))
    mean = law.hidden_means(given, y, FIRST)[0]
    np.testing.assert_allclose(mean, np.interp([4, 5, 6], [3, 7], y[0, [3, 7]]), rtol=1e-6)
    k = np.arange(1, 4)
    np.testing.assert_allclose(np.diag(given.factor @ given.factor.T), k * (4 - k) / 4, rtol=1e-4)
    future = law.conditional(series.past(LENGTH, 4))
    np.testing.assert_allclose(law.hidden_means(future, y, FIRST)[0], y[0, -5], rtol=1e-6)
    np.testing.assert_allclose(np.diag(future.factor @ future.factor.T), np.arange(1, 5), rtol=1e-4)


def test_innovations_are_independent_under_the_law_and_lead_back():
    law, rng = autoregressive(means=(1.0, -2.0, 5.0)), np.random.default_rng(3)
    phases = rng.integers(0, 3, 20000)
    draws = rng.normal(size=(20000, LENGTH)) @ np.linalg.cholesky(law.covariance).T
    y = law.mean(phases) + draws
    given = law.conditional(series.but_gaps(rng, LENGTH, 5))
    x = law.innovations(given, y, phases)
    # 5 % more of any variance would be seven standard errors.
    np.testing.assert_allclose(np.cov(x.T), np.eye(5), atol=4 * np.sqrt(2 / len(y)))
    np.testing.assert_allclose(law.placed(given, np.where(given.seen, y, np.nan), phases, x), y, atol=1e-6)


def test_what_is_fitted_is_the_process():
    rng, n = np.random.default_rng(4), 6000
    u = np.zeros(n)
    for t in range(1, n):
        u[t] = PHI * u[t - 1] + rng.normal()
    y = u + np.tile([1.0, -2.0, 5.0], n // 3)
    y[::50] = np.nan
    law = series.fit_normal_law(y, LENGTH, season=3)
    np.testing.assert_allclose(law.means, [1, -2, 5], atol=0.3)
    given = law.conditional(series.past(LENGTH, 2))
    np.testing.assert_allclose(np.diag(given.factor @ given.factor.T), [1, 1 + PHI**2], rtol=0.08)
    summed = np.cumsum(np.nan_to_num(y) + 0.5)
    steps = series.fit_normal_law(summed, LENGTH, season=3, differences=1)
    np.testing.assert_allclose(
        np.diff(steps.mean(np.array([1]))[0]), np.tile(steps.means, 5)[2:13], rtol=1e-9
    )


def test_without_memory_the_past_says_nothing_but_of_level_and_drift():
    y = np.random.default_rng(5).normal(size=(1, LENGTH))
    law = autoregressive(means=(3.0,)).without_memory()
    given = law.conditional(series.past(LENGTH, 3))
    np.testing.assert_allclose(law.hidden_means(given, y, FIRST), 3.0)
    wandering = random_walk().without_memory()
    line = 7.0 + 0.3 * np.arange(LENGTH)[None]
    future = wandering.conditional(series.past(LENGTH, 3))
    np.testing.assert_allclose(wandering.hidden_means(future, line, FIRST), line[:, -3:], rtol=0.02)


def test_what_is_told_does_not_look_at_what_is_hidden():
    law, y = autoregressive(means=(1.0, -2.0)), np.random.default_rng(6).normal(size=(3, LENGTH))
    phases = np.array([0, 1, 0])
    given = law.conditional(series.past(LENGTH, 4))
    known = series.told(law, given, Windows(y, phases))
    other = y.copy()
    other[:, -4:] = np.nan
    np.testing.assert_array_equal(known, series.told(law, given, Windows(other, phases)))
    np.testing.assert_array_equal(known[..., 0], np.broadcast_to(~given.seen, y.shape))
    np.testing.assert_allclose(known[:, :8, 1], (y - law.mean(phases))[:, :8] / law.scale)
    assert np.all(known[:, :8, 2] == 0)
    np.testing.assert_allclose(known[0, 8, 2], 1 / law.scale, rtol=1e-6)  # one step ahead: the noise's 1
    walk = random_walk()
    there = walk.conditional(series.past(LENGTH, 4))
    shifted = [series.told(walk, there, Windows(y[:1] + level, FIRST)) for level in (0.0, 50.0)]
    np.testing.assert_allclose(*shifted, atol=1e-6)


def test_mistakes_are_named():
    with pytest.raises(InputError, match="give a longer series"):
        series.fit_normal_law(np.arange(9.0), 12)
    with pytest.raises(InputError, match="horizon"):
        series.past(5, 5)
    with pytest.raises(InputError, match="at least 12, a window"):
        series.windows(np.arange(9.0), 12, np.arange(1), 1)
