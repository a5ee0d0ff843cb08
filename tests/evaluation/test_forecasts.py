"""Scores of forecasts against closed forms of normal laws, and by their definitions."""

import itertools

import numpy as np
import pytest
from scipy.stats import chisquare, norm

from score_sde.errors import InputError
from score_sde.evaluation.forecasts import crps, energy_score, rank_histogram, spread_skill


def test_crps_of_a_normal_forecast():
    """sigma (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)) (Gneiting and Raftery 2007, section 4.2)."""
    rng = np.random.default_rng(0)
    truth, mean, std = np.array([0.3, -1.0, 4.0]), np.array([0.0, -1.0, 1.0]), np.array([1.0, 0.5, 2.0])
    z = (truth - mean) / std
    expected = std * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    found = crps(mean + std * rng.standard_normal((200_000, 3)), truth)
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_crps_is_the_sum_over_pairs_and_fair():
    rng = np.random.default_rng(1)
    ensemble, truth = rng.normal(size=(5, 7)), rng.normal(size=7)
    pairs = [np.abs(a - b) for a, b in itertools.permutations(ensemble, 2)]
    np.testing.assert_allclose(
        crps(ensemble, truth),
        np.abs(ensemble - truth).mean(axis=0) - 0.5 * np.mean(pairs, axis=0),
        atol=1e-12,
    )
    truth = rng.normal(size=40_000)  # members and truth of one law: 1 / sqrt(pi) whatever their number
    for members in (2, 3, 20):
        score = crps(rng.normal(size=(members, len(truth))), truth)
        assert score.mean() == pytest.approx(1 / np.sqrt(np.pi), abs=4 * score.std() / np.sqrt(len(truth)))


def test_a_wrong_spread_or_mean_scores_worse():
    rng = np.random.default_rng(2)
    truth, noise = rng.normal(size=20_000), rng.normal(size=(10, 20_000))
    best = crps(noise, truth).mean()
    for wrong in (1.3 * noise, noise / 1.3, noise + 0.3):
        assert crps(wrong, truth).mean() > best + 0.005


@pytest.mark.parametrize("members", [2, 8])
def test_spread_equals_skill_where_laws_do(members):
    rng = np.random.default_rng(3)
    center = rng.normal(size=100_000)
    truth, ensemble = center + 0.5 * rng.normal(size=center.shape), rng.normal(size=(members, *center.shape))
    assert spread_skill(center + 0.5 * ensemble, truth).ratio == pytest.approx(1, abs=0.01)
    assert spread_skill(center + 0.475 * ensemble, truth).ratio < 0.98  # 5 % too sure is seen
    assert np.isnan(spread_skill(np.ones((4, 3)), np.ones(3)).ratio)  # a system without noise, by itself


def test_ranks_are_flat_where_laws_are_one_and_bend_where_they_are_not():
    rng = np.random.default_rng(4)
    truth, noise = rng.normal(size=30_000), rng.normal(size=(4, 30_000))
    assert chisquare(rank_histogram(noise, truth)).pvalue > 0.01
    for factor, ends in ((0.9, np.greater), (1.1, np.less)):
        counts = rank_histogram(factor * noise, truth)
        assert counts.sum() == len(truth)
        assert chisquare(counts).pvalue < 1e-6
        assert ends(counts[[0, -1]].mean(), counts[1:-1].mean())
    assert chisquare(rank_histogram(np.zeros((3, 4000)), np.zeros(4000))).pvalue > 0.01  # ties by chance


def test_the_energy_score_of_numbers_is_crps():
    rng = np.random.default_rng(5)
    ensemble, truth = rng.normal(size=(6, 9, 1)), rng.normal(size=(9, 1))
    np.testing.assert_allclose(energy_score(ensemble, truth), crps(ensemble, truth)[:, 0], atol=1e-12)


def test_mistakes_are_told():
    with pytest.raises(InputError, match=r"ensemble.shape"):
        crps(np.zeros((5, 3)), np.zeros(4))
    with pytest.raises(InputError, match="at least 2 members"):
        spread_skill(np.zeros((1, 3)), np.zeros(3))
