"""The experiment: all of it in seconds, its numbers by scikit-learn, its simulations as they say."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from experiments.anomaly import images, judging, run, simulations, tables
from experiments.anomaly.baselines import BASELINES
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
    kinds = ("a class held out", "digits", "inverted", "shuffled")
    data = [("tables", "wine"), ("tables", "mean of all"), *(("images", kind) for kind in kinds)]
    assert set(found) == {(*each, way) for each in data for way in FAST.ways}
    for point in results["points"]:
        assert 0 <= point["auroc"]["mean"] <= 1
        assert point["auroc"]["half_width"] >= 0
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
    (workdir / "entries" / "tables" / "wine_1.json").unlink()
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
