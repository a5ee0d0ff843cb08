"""Draws of models: exact ones have the scores of the exact law, and nobody sees what is hidden."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import toeplitz
from scipy.stats import norm

from score_sde import series
from score_sde.denoisers import EDMPrecondition, LogSNRLabels
from score_sde.errors import InputError
from score_sde.evaluation.bootstrap import block_interval
from score_sde.evaluation.forecasts import crps
from score_sde.sdes import VP
from score_sde.series import (
    LearntInnovations,
    NormalInnovations,
    NormalLaw,
    SeriesModel,
    WhereHidden,
    Windows,
)
from score_sde.series.windows import rows

PHI, LENGTH, HORIZON, MEMBERS = 0.8, 12, 4, 256
LAW = NormalLaw(np.zeros(1), toeplitz(PHI ** np.arange(LENGTH)) / (1 - PHI**2), (1 - PHI**2) ** -0.5)
CHOLESKY = np.linalg.cholesky(LAW.covariance)


def paths(n, seed=0):
    return Windows(np.random.default_rng(seed).normal(size=(n, LENGTH)) @ CHOLESKY.T, np.zeros(n, int))


def exact_denoiser():
    """F = 0 is the exact denoiser of data of unit variance, as innovations are under their law."""
    return WhereHidden(
        network=lambda x, labels, cond, key=None: jnp.zeros_like(x),
        sde=VP(),
        precondition=EDMPrecondition(sigma_data=1.0, labels=LogSNRLabels()),
    )


MODELS = {
    "normal law": SeriesModel(LAW, NormalInnovations()),
    "exact denoiser": SeriesModel(LAW, LearntInnovations(exact_denoiser())),
}


def normal_crps(mean, std, y):
    """Gneiting and Raftery 2007, section 4.2, equation for the normal law."""
    z = (y - mean) / std
    return std * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))


@pytest.mark.parametrize("name", MODELS)
def test_forecasts_have_the_score_of_the_exact_law(name):
    """Mean phi^h y and variance (1 - phi^2h) / (1 - phi^2); CRPS value by value as in closed form."""
    parts, steps = paths(64), np.arange(1, HORIZON + 1)
    seen = series.past(LENGTH, HORIZON)
    drawn = MODELS[name].draws(1, parts, seen, MEMBERS)
    truth, last = parts.values[:, -HORIZON:], parts.values[:, -HORIZON - 1, None]
    std = np.sqrt((1 - PHI ** (2 * steps)) / (1 - PHI**2))
    scores, exact = crps(drawn[..., -HORIZON:], truth), normal_crps(PHI**steps * last, std, truth)
    assert np.mean(scores) == pytest.approx(np.mean(exact), rel=0.01)
    z = (drawn[..., -HORIZON:] - PHI**steps * last) / std
    assert z.std() == pytest.approx(1, abs=0.015)  # 5 % too wide or too narrow would fail
    assert z.mean() == pytest.approx(0, abs=0.015)
    assert np.array_equal(
        drawn[..., :-HORIZON], np.broadcast_to(parts.values[:, :-HORIZON], (MEMBERS, 64, 8))
    )


@pytest.mark.parametrize("name", MODELS)
def test_imputations_are_the_exact_conditional(name):
    """phi (y_- + y_+) / (1 + phi^2) with variance 1 / (1 + phi^2), in windows with gaps of their own."""
    parts, places = paths(40), 1 + np.arange(40) % (LENGTH - 2)
    seen = np.ones((40, LENGTH), bool)
    seen[np.arange(40), places] = False
    gappy = Windows(np.where(seen, parts.values, np.nan), parts.phases)
    drawn = MODELS[name].draws(2, gappy, np.ones(LENGTH, bool), MEMBERS)
    around = parts.values[np.arange(40), places - 1] + parts.values[np.arange(40), places + 1]
    z = drawn[:, np.arange(40), places] - PHI * around / (1 + PHI**2)
    z *= np.sqrt(1 + PHI**2)
    assert z.mean() == pytest.approx(0, abs=0.03)
    assert z.std() == pytest.approx(1, abs=0.025)


def test_the_future_is_not_seen():
    parts, seen = paths(8), series.past(LENGTH, HORIZON)
    other = parts.values.copy()
    other[:, -HORIZON:] += 100
    first = MODELS["normal law"].draws(3, parts, seen, 5)
    second = MODELS["normal law"].draws(3, Windows(other, parts.phases), seen, 5)
    np.testing.assert_array_equal(first, second)


def test_rows_are_innovations_where_hidden_and_noise_where_seen():
    parts = paths(20000)
    seen = series.but_a_block(LENGTH, 3, 5)
    x = rows(LAW, parts, seen, np.random.default_rng(9))
    assert x.shape == (20000, LENGTH, 6)
    np.testing.assert_allclose(np.cov(x[..., 0].T), np.eye(LENGTH), atol=0.05)
    exact = LAW.innovations(LAW.conditional(seen), parts.values, parts.phases)
    np.testing.assert_allclose(x[:, 5:8, 0], exact, rtol=1e-4, atol=1e-4)


def test_a_series_too_short_is_refused():
    with pytest.raises(InputError, match="give a longer series"):
        series.fit_series(np.arange(20.0), 12, series.Shape(8, 4))


def test_intervals_of_overlapping_forecasts():
    """Of independent values 1.96 s / sqrt(n); of running sums over 8 terms, 8 times the variance."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1, 4000))
    found = block_interval(values, 1)
    assert found.mean == pytest.approx(values.mean())
    assert found.half_width == pytest.approx(1.96 / np.sqrt(4000), rel=0.08)
    alike = np.convolve(rng.normal(size=4007), np.ones(8) / np.sqrt(8), mode="valid")[None]
    assert block_interval(alike, 64).half_width == pytest.approx(1.96 * np.sqrt(8 / 4000), rel=0.15)
    seeds = np.repeat([[1.0], [2.0], [3.0]], 30, axis=1)
    assert block_interval(seeds, 5).half_width == pytest.approx(4.303 / np.sqrt(3), rel=1e-3)
    with pytest.raises(InputError):
        block_interval(np.full((2, 3), np.nan), 1)
