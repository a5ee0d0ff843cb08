"""The few-step experiment: every variant is found, a tiny run measures and draws, and verdicts can be bad."""

import json

import numpy as np
import pytest
from config_files import load
from scipy.stats import sem, t
from untrained import save_untrained

from configs import digits_few_step
from experiments.few_step import entrants, measure, report, run
from score_sde.config import check
from score_sde.errors import InputError
from score_sde.evaluation.report import write_json

SIZES = measure.Sizes(True, 12, 2, (entrants.REFERENCE, "MeanFlow, distilled, 1 step"))


@pytest.mark.parametrize("method", digits_few_step.METHODS[1:])
def test_every_variant_is_a_configuration(method):
    """The first is tested as all configurations are; what is taught names the run that it is taught by."""
    for variant in (method, f"tiny_{method}"):
        config = load("digits_few_step", variant)
        check(config)
        taught = method in digits_few_step.STUDENTS
        assert ("runs/digits_few_step_" in str(config)) == taught


def test_a_wrong_variant_is_told():
    with pytest.raises(
        InputError, match=r"variant of configs/digits_few_step\.py = 'tiny_x': expected one of ct"
    ):
        load("digits_few_step", "tiny_x")


def test_every_method_is_measured_in_one_step():
    named = entrants.entrants()
    assert named[0].name == entrants.REFERENCE
    single = {each.variant for each in named if each.steps == 1 and each.variant != "teacher"}
    assert single == {name for name in entrants.variants() if name not in ("teacher", *BETWEEN)}
    assert set(entrants.variants()) == set(digits_few_step.METHODS)


BETWEEN = ("halved_16", "halved_8", "halved_4", "halved_2")  # rounds on the way to one step


def test_a_tiny_run(tmp_path):
    """Rows, floor and samples are there; of the two models only the one that is taught is trained here."""
    save_untrained("digits_few_step.py:tiny_teacher", entrants.folder(tmp_path, "teacher"))
    subjects = measure.trained(tmp_path, SIZES)
    assert list(subjects) == ["teacher", "mean_flow_distilled"]
    results, shown = measure.measure(subjects, SIZES)
    assert [row["name"] for row in results["rows"]] == list(SIZES.names)
    assert [row["evaluations"] for row in results["rows"]] == [128, 1]
    assert results["rows"][0]["ratio"] == 1.0
    assert 0 < results["floor"]["mean"] < results["rows"][1]["distance"]["mean"]  # of models of four updates
    assert all(samples.shape == (12, 8, 8, 1) for samples in shown.values())
    written = json.loads(write_json(tmp_path / "results.json", results).read_text())
    assert written["rows"][1]["distance"]["values"] == results["rows"][1]["distance"]["values"]
    assert report.save_distances(tmp_path / "distances.png", results).stat().st_size > 1000
    assert report.save_samples(tmp_path / "samples.png", shown).stat().st_size > 1000


def test_intervals_are_students():
    values = [0.5, 0.7, 0.6, 0.55]
    found = measure.interval(values)
    low, high = t.interval(0.95, 3, loc=np.mean(values), scale=sem(values))
    np.testing.assert_allclose(
        [found["mean"] - found["half_width"], found["mean"] + found["half_width"]], [low, high]
    )


def row(name, distance, evaluations=1):
    return {
        "name": name, "distance": {"mean": distance, "half_width": 0.01}, "evaluations": evaluations,
        "taught": True, "confident": 0.8, "updates": 10, "train_seconds": 1.0,
    }  # fmt: skip


def test_the_verdict_is_of_the_best_student_of_one_evaluation():
    """Not of the teacher in one step, nor of two steps, however near."""
    rows = [
        row(entrants.REFERENCE, 0.5, 128),
        row("teacher, DDIM in 1", 0.1),
        row("MeanFlow, 2 steps", 0.51, 2),
        row("MeanFlow, 1 step", 0.9),
        row("consistency distillation, 1 step", 0.74),
    ]
    results = {"rows": measure.compared(rows), "floor": {"mean": 0.45, "half_width": 0.02}}
    assert report.best(results)["name"] == "consistency distillation, 1 step"
    assert report.verdict(results).endswith("1.48 times the ODE's distance, within 1.5")
    results["rows"][-1]["ratio"] = 1.52
    assert "beyond 1.5" in report.verdict(results)
    assert "0.740 +- 0.010" in report.text(results)


def test_mistakes_are_one_line(capsys):
    assert run.main(["run", "more"]) == 2
    assert capsys.readouterr().err.startswith("error: argument = 'more'")
