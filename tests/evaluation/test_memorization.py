"""The copy detector: fresh data pass, copies and near copies do not."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu

from score_sde.errors import InputError
from score_sde.evaluation import check_memorization, nearest_neighbors
from score_sde.evaluation.memorization import probability_smaller

RNG = np.random.default_rng(0)
TRAIN, TEST, FRESH = (RNG.standard_normal((n, 4, 4, 1)) for n in (400, 300, 300))


def test_fresh_data_look_like_held_out_data():
    summary = check_memorization(FRESH, TRAIN, TEST).summary()
    assert abs(summary["auc"] - 0.5) < 0.07  # three standard deviations for 300 against 300
    assert abs(summary["auc_relative"] - 0.5) < 0.07
    assert summary["ks_pvalue"] > 0.01
    assert summary["suspicious"] < 0.05
    assert abs(summary["ratio"] - 1) < 0.05


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_copies_are_found(noise):
    copies = TRAIN[:200] + noise * RNG.standard_normal((200, 4, 4, 1))
    result = check_memorization(copies, TRAIN, TEST)
    summary = result.summary()
    assert summary["auc"] > 0.99
    assert summary["auc_relative"] > 0.99
    assert summary["suspicious"] > 0.99
    assert summary["exact_copies"] == (noise == 0)
    assert (result.neighbors == np.arange(200)).mean() > 0.99


def test_a_few_copies_among_fresh_samples_are_seen():
    """5 % planted copies: the medians hide them, the count of suspicious samples does not."""
    planted = np.concatenate([FRESH[:285], TRAIN[:15]])
    clean = check_memorization(FRESH, TRAIN, TEST).summary()
    summary = check_memorization(planted, TRAIN, TEST).summary()
    assert summary["exact_copies"] == 0.05
    assert summary["suspicious"] >= clean["suspicious"] + 0.04


def test_blur_looks_like_copying_far_less_in_relative_distances():
    """Samples drawn towards the mean are nearer to everything; that is no copying."""
    summary = check_memorization(0.6 * FRESH, TRAIN, TEST).summary()
    assert summary["auc"] > 0.9
    assert summary["auc_relative"] < 0.7


def test_neighbors_are_those_of_all_distances():
    queries, points = TEST.reshape(300, -1), TRAIN.reshape(400, -1)
    distances, indices = nearest_neighbors(TEST, TRAIN, k=3)
    full = cdist(queries, points)
    np.testing.assert_allclose(distances, np.sort(full, axis=1)[:, :3], rtol=1e-10)
    np.testing.assert_array_equal(indices[:, 0], full.argmin(axis=1))


def test_probability_smaller_is_the_mann_whitney_statistic():
    first, second = RNG.integers(0, 9, 40), RNG.integers(1, 9, 30)  # with ties
    expected = mannwhitneyu(second, first).statistic / 1200
    np.testing.assert_allclose(probability_smaller(first, second), expected)


@pytest.mark.parametrize(
    "call",
    [
        lambda: check_memorization(FRESH[:, :2], TRAIN, TEST),
        lambda: check_memorization(FRESH, TRAIN, TEST[:0]),
        lambda: check_memorization(FRESH, TRAIN[:10], TEST),
        lambda: check_memorization(FRESH, TRAIN, TEST, k=0),
        lambda: check_memorization(np.full_like(FRESH, np.nan), TRAIN, TEST),
        lambda: nearest_neighbors(FRESH, TRAIN, k=401),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(InputError):
        call()
