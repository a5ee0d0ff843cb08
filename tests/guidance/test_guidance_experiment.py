"""The guidance experiment in seconds: it draws, judges, writes, and goes on where it was."""

import json
import pathlib

import numpy as np
import pytest
from config_files import load
from untrained import save_untrained

from score_sde.config import check

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """The module, what one run of it said, and where."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        from experiments.guidance import run

        workdir = tmp_path_factory.mktemp("guidance")
        save_untrained("digits_conditional.py:tiny", workdir / "conditional")
        save_untrained("digits_classifier.py:tiny", workdir / "classifier")
        yield run, run.run(workdir, fast=True), workdir


def test_every_point_is_measured_and_pictured(experiment):
    _, results, workdir = experiment
    written = json.loads((workdir / "results.json").read_text())
    assert written["points"] == results["points"]
    assert [point["method"] for point in results["points"]] == [
        "classifier",
        "classifier-free in an interval",
    ]
    for point in results["points"]:
        assert all(0 <= point[name] <= 1 for name in ("accuracy", "confident", "precision", "recall"))
    assert results["real"]["accuracy"] > 0.9  # of real digits, which the judge has not seen
    assert results["real"]["recall"] > 0.85
    for name in ("curves.png", "classifier.png", "grids/classifier_0.png"):
        assert (workdir / name).stat().st_size > 1000
    with np.load(workdir / "samples" / "classifier_0.npz") as arrays:
        np.testing.assert_array_equal(arrays["labels"], np.arange(20) % 10)


def test_finished_points_are_kept(experiment, capsys):
    run, results, workdir = experiment
    written = json.loads((workdir / "results.json").read_text())
    last = written["points"].pop()
    (workdir / "results.json").write_text(json.dumps(written))
    again = run.run(workdir, fast=True)
    assert capsys.readouterr().out.count("s left\n") <= 2
    assert again["points"][:-1] == results["points"][:-1]
    assert {**again["points"][-1], "seconds": 0} == {**last, "seconds": 0}


def test_mistakes_are_one_line(experiment, capsys):
    run, _, _ = experiment
    assert run.main(["run", "more"]) == 2
    assert capsys.readouterr().err.startswith("error: argument = 'more'")


@pytest.mark.parametrize("variant", ["guided", "classifier_guided"])
def test_the_configurations_of_guided_sampling(variant):
    config = load("digits_conditional", variant)
    check(config)
    assert config.sampler["target"].endswith("Transformed")
    assert {field: config[field] for field in ("network", "objective", "condition")} == {
        field: load("digits_conditional")[field] for field in ("network", "objective", "condition")
    }
