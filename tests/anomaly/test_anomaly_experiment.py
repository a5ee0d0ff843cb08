"""The experiment: all of it in seconds, its numbers by scikit-learn, its simulations as they say."""

import json

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score

from experiments.anomaly import images, judging, report, run, simulations, tables, truth
from experiments.anomaly.baselines import BASELINES
from experiments.anomaly.measure import Entry
from experiments.anomaly.sizes import FAST
from score_sde.errors import InputError


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """What one run says, and where."""
    workdir = tmp_path_factory.mktemp("anomaly")
    return run.run(workdir, workdir / "runs", FAST), workdir


def test_every_way_is_judged_and_pictured(fast):
    results, workdir = fast
    assert json.loads((workdir / "results.json").read_text())["points"] == results["points"]
    found = {(p["part"], p["data"], p["way"]): p for p in results["points"]}
    kinds = ("a class held out", "digits", "inverted", "shuffled", "faint")
    data = [("tables", "wine"), ("tables", "mean of all"), *(("images", kind) for kind in kinds)]
    plain = [("unseen", name, way) for name in ("iris", "mean of all") for way in ("kNN", "DTE-NP")]
    assert set(found) == {(*each, way) for each in data for way in FAST.ways} | set(plain)
    for point in results["points"]:
        assert 0 <= point["auroc"]["mean"] <= 1
        alone = (point["part"], point["way"]) == ("tables", "likelihood")  # trained on one split
        assert point["auroc"]["half_width"] is None if alone else point["auroc"]["half_width"] >= 0
    for name in ("table.txt", "tables.png", "images.png", "likelihood.png"):
        assert (workdir / name).stat().st_size > 500


def test_diffusion_time_judges_as_nearest_neighbours_do(fast):
    """A theorem: the same order, so the same numbers."""
    points = {(p["data"], p["way"]): p for p in fast[0]["points"]}
    for data in ("wine", "a class held out", "digits", "inverted"):
        for number in ("auroc", "aupr", "fpr95"):
            ours, theirs = points[data, "DTE-NP"][number], points[data, "kNN"][number]
            np.testing.assert_allclose(ours["mean"], theirs["mean"], atol=1e-12)


def test_what_is_done_is_kept(fast, capsys):
    results, workdir = fast
    (workdir / "entries" / "tables" / f"wine_{FAST.first + 1}.json").unlink()
    capsys.readouterr()
    again = run.run(workdir, workdir / "runs", FAST)
    assert capsys.readouterr().out.count("min left") == 1
    for new, old in zip(again["points"], results["points"], strict=True):
        assert new | {"seconds": 0} == old | {"seconds": 0}
    with pytest.raises(InputError, match="choose an empty one"):
        run.run(workdir, workdir / "runs", FAST._replace(steps=21))


def test_mistakes_are_one_line(tmp_path, capsys):
    for argument in ("--parts=pictures", "--seeds=0", "--nothing=1", "stray"):
        assert run.main(["run", f"--workdir={tmp_path}", argument]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
    assert run.main(["run", "--help"]) == 0


def test_the_classical_detectors_are_what_they_are_called():
    """PCA over all components is Mahalanobis' distance, squared; LOF has 20 neighbours, kNN 5."""
    data = tables.split(tables.TABLES["wine"](0), 0)
    np.testing.assert_allclose(data.train.mean(axis=0), 0, atol=1e-12)  # standardised by what is learnt from
    np.testing.assert_allclose(data.train.std(axis=0), 1, atol=1e-12)
    inverse = np.linalg.inv(np.cov(data.train.T))
    mahalanobis = cdist(data.test, data.train.mean(axis=0)[None], "mahalanobis", VI=inverse)[:, 0]
    np.testing.assert_allclose(BASELINES["PCA"](data.train, data.test, 0), mahalanobis**2, rtol=1e-8)
    nearest = np.sort(cdist(data.test, data.train), axis=1)
    np.testing.assert_allclose(BASELINES["kNN"](data.train, data.test, 0), nearest[:, :5].mean(axis=1))
    np.testing.assert_allclose(
        BASELINES["LOF"](data.train, data.test, 0), _outlier_factor(data.train, data.test, 20), rtol=1e-6
    )


def _outlier_factor(train, test, k):
    """Breunig et al. 2000, definitions 3 to 7, written out."""
    own, across = cdist(train, train), cdist(test, train)
    np.fill_diagonal(own, np.inf)
    reach = np.sort(own, axis=1)[:, k - 1]

    def density(distances):
        near = np.argsort(distances, axis=1)[:, :k]
        return near, 1 / np.mean(np.maximum(np.take_along_axis(distances, near, 1), reach[near]), axis=1)

    dense = density(own)[1]
    near, found = density(across)
    return np.mean(dense[near], axis=1) / found


def test_numbers_of_a_ranking_known_by_hand():
    truth = np.repeat([False, True], [8, 2])
    found = judging.judged(truth, np.array([1, 2, 3, 4, 5, 6, 7, 9, 8, 10.0]))
    assert found["auroc"] == pytest.approx(15 / 16)
    assert found["aupr"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["fpr95"] == pytest.approx(1 / 8)
    assert judging.judged(truth, np.r_[np.zeros(9), np.nan])["auroc"] == pytest.approx(0.75)
    # Student's t of 4 degrees of freedom is 2.776 at 97.5 %.
    np.testing.assert_allclose(
        judging.interval([1, 2, 3, 4, 5])["half_width"], 2.776 * np.sqrt(0.5), rtol=1e-3
    )


@pytest.mark.parametrize("simulate", [simulations.intrusion, simulations.fraud])
def test_simulations_are_a_function_of_the_seed_with_known_truth(simulate):
    one, same, other = simulate(0), simulate(0), simulate(1)
    np.testing.assert_array_equal(one.rows, same.rows)
    assert not np.array_equal(one.rows, other.rows)
    assert np.all(np.isfinite(one.rows))
    assert (len(one.columns), one.truth.shape) == (one.rows.shape[1], (len(one.rows),))
    assert {*one.kind[one.truth]}.isdisjoint(one.kind[~one.truth])
    assert len({*one.kind}) in (7, 8)


def test_some_attacks_are_unusual_in_no_column_by_itself():
    """Stolen data: each column lies in the range of normal rows, and neighbours find them all the same."""
    data = simulations.intrusion(0, normal=4000, anomalies=400)
    normal, theft = data.rows[~data.truth], data.rows[data.kind == "theft"]
    low, high = np.quantile(normal, (0.002, 0.998), axis=0)
    assert np.mean((theft >= low) & (theft <= high)) > 0.98
    table = tables.split(
        tables.Table(np.r_[normal, theft], np.repeat([False, True], [len(normal), len(theft)])), 0
    )
    assert roc_auc_score(table.truth, BASELINES["kNN"](table.train, table.test, 0)) > 0.9


def test_densities_of_the_simulations_have_scipy_s_entropies():
    """-log p of a behaviour's own draws is its entropy on average; a wrong law adds its divergence.

    50,000 draws tell it to 0.05 (four standard errors); a standard deviation 20 % off would add 0.02 in each
    column it belongs to, a mean off by half of one 0.12.
    """
    rng, n = np.random.default_rng(0), 50_000
    web, online = simulations.CONNECTIONS[0].numbers, simulations.PAYMENTS[2].numbers
    loads, spread = np.array([1, 0.7, 1]), np.diag([0.3, 0.3, 0.4]) ** 2
    counts = stats.poisson([6, 1, 1.5]).entropy()
    of_connection = (
        stats.multivariate_normal(cov=0.36 * np.outer(loads, loads) + spread).entropy()
        + counts[0] + counts[1] + stats.beta(1.4, 20.6).entropy() + stats.norm(0, 3.5).entropy()
    )  # fmt: skip
    of_payment = (
        stats.multivariate_normal(cov=0.25 + np.diag([0.36, 0.0225])).entropy()
        + sum(stats.norm(0, [0.7, 0.8, 3.0]).entropy()) + counts[2] + stats.bernoulli(0.2).entropy()
    )  # fmt: skip
    for draw, density, numbers, expected in (
        (simulations.connection, truth.log_connection, web, of_connection),
        (simulations.payment, truth.log_payment, online, of_payment),
    ):
        rows = np.stack(list(draw(rng, n, **numbers).values()), axis=1)
        surprise = -density(rows, numbers)
        assert abs(np.mean(surprise) - expected) < 4 * np.std(surprise) / np.sqrt(n)
        assert 4 * np.std(surprise) / np.sqrt(n) < 0.05


@pytest.mark.parametrize("name", ["intrusion", "fraud"])
def test_no_detector_is_better_than_the_true_likelihood_ratio(name):
    data = tables.TABLES[name](3)
    rows = tables.split(data, 3)
    best = truth.reference_scores(name, data.rows[rows.rest])
    assert all(np.all(np.isfinite(scores)) for scores in best.values())
    areas = [judging.judged(rows.truth, scores)["auroc"] for scores in best.values()]
    neighbours = roc_auc_score(rows.truth, BASELINES["kNN"](rows.train, rows.test, 0))
    assert areas[1] >= areas[0] > neighbours
    assert truth.reference_scores("wine", data.rows) == {}


def test_ecod_is_the_authors_sum_of_each_row_beside_the_training_rows():
    """Ranks of a row among the training rows and itself, as pyod's ``column_ecdf`` counts them."""
    rng = np.random.default_rng(0)
    train, row = rng.gamma(2, size=(50, 3)) * [1, -1, 1], np.array([[4.0, -0.1, 0.3]])
    both = np.concatenate([train, row])
    left, right = (-np.log(np.mean(sign * both <= sign * row, axis=0)) for sign in (1, -1))
    chosen = np.where(stats.skew(train) < 0, left, right)
    expected = np.sum(np.maximum(chosen, (left + right) / 2))
    np.testing.assert_allclose(BASELINES["ECOD"](train, row, 0), [expected])


def test_differences_are_taken_split_by_split():
    """Splits differ by much more than ways do: the interval of the difference does not see it."""
    areas = {"kNN": [0.7, 0.8, 0.9], "OCSVM": [0.6, 0.7, 0.8], "MSMA": [0.72, 0.82]}  # trained on two only
    found = {}
    for seed in range(3):
        ways = {way: {"auroc": values[seed]} for way, values in areas.items() if seed < len(values)}
        found[Entry("tables", "wine", seed)] = {"ways": ways}
    told = {(each["way"], each["data"]): each for each in report.differences("tables", found)}
    for data in ("wine", report.MEAN):
        assert told["MSMA", data]["less"] == "kNN"
        np.testing.assert_allclose(told["MSMA", data]["mean"], 0.02)
        np.testing.assert_allclose(told["MSMA", data]["half_width"], 0, atol=1e-12)
        np.testing.assert_allclose(told["OCSVM", data]["mean"], -0.1)


@pytest.mark.parametrize("name", BASELINES)
def test_classical_detectors_find_what_is_far(name):
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(100, 3)), np.r_[rng.normal(size=(90, 3)), rng.normal(size=(10, 3)) + 6]
    assert roc_auc_score(np.repeat([0, 1], [90, 10]), BASELINES[name](train, test, 0)) > 0.95


def test_made_anomalies_are_what_they_say():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 14, 14, 1)).astype(np.uint8)
    moved = images.shuffled(pictures)
    np.testing.assert_array_equal(np.sort(moved.reshape(3, -1)), np.sort(pictures.reshape(3, -1)))
    assert not np.array_equal(moved, pictures)
    digits = images.digit_images(4, 14)
    assert digits.shape == (4, 14, 14, 1)
    assert digits.max() > 200
