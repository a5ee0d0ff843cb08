"""Work against precision: who is measured, the verdict's arithmetic, and all of it in seconds."""

import json

import jax
import numpy as np
import pytest
from scipy import stats
from untrained import save_untrained
from walk import concrete_subclasses

from experiments.work_precision import report, run, sizes, solvers, subjects
from score_sde import samplers
from score_sde.evaluation.distances import frechet_gaussian, sliced_wasserstein

KNOWN = solvers.solvers()


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """What the small form says, and where; the digits' network is one that was not trained."""
    workdir = tmp_path_factory.mktemp("work_precision")
    paths = {"mixture": None, "digits": workdir / "runs" / "digits"}
    save_untrained("digits.py:tiny", paths["digits"])
    return run.run(workdir, paths, sizes.FAST, workers=1), workdir, paths


def test_every_predictor_is_measured():
    names = {name.split("(")[0] for name in KNOWN}
    found = concrete_subclasses(samplers.Predictor, under="score_sde.samplers.predictors")
    assert {cls.__name__ for cls in found} - {"NoPredictor"} <= names
    assert {"AdaptiveSDE", "ProbabilityFlowODE", "Restart"} <= names


@pytest.mark.parametrize("name", [name for name, of in KNOWN.items() if not of.tolerances])
def test_no_sampler_takes_more_evaluations_than_it_may(name):
    taken = [sampler.evaluations for n in range(1, 41) if (sampler := KNOWN[name].at(n)) is not None]
    allowed = np.arange(41 - len(taken), 41)
    assert len(taken) >= 28
    assert np.all(taken <= allowed)
    assert np.all(allowed - taken < 5)


@pytest.mark.parametrize("name", ["UniPC(terms=2)", solvers.REFERENCE])
def test_one_program_draws_what_the_sampler_draws(name):
    """From the same key, though its times are padded to a thousand steps."""
    law, key, shape = subjects.mixture(), jax.random.key(3), (20, subjects.DIMENSIONS)
    sampler = KNOWN[name].at(8)
    ours = KNOWN[name].draw(sampler, key, law, shape, None)
    np.testing.assert_allclose(ours.x, sampler(key, law, shape), atol=1e-4)
    assert ours.evaluations == sampler.evaluations


def test_twins_take_the_same_steps():
    """They are left out on networks; the second order is no twin of the first."""
    law, shape = subjects.mixture(), (50, subjects.DIMENSIONS)
    names = ("DDIM", *solvers.TWINS, "DEIS(terms=2)")
    draws = [KNOWN[name].draw(KNOWN[name].at(6), jax.random.key(0), law, shape, None).x for name in names]
    assert set(solvers.TWINS.values()) == {"DDIM"}
    for x in draws[1:-1]:
        np.testing.assert_allclose(x, draws[0], atol=1e-3)
    assert np.abs(draws[-1] - draws[0]).max() > 0.1


def test_the_small_form_measures_and_pictures(fast):
    results, workdir, _ = fast
    assert results["classifier_accuracy"]["mixture"] > 0.95
    written = json.loads((workdir / "results.json").read_text())
    for subject in ("mixture", "digits"):
        assert set(written["verdict"][subject]) == set(subjects.METRICS)
        rows = {(row.solver, row.evaluations): row.distances for row in results["rows"][subject]}
        assert {len(values) for of in rows.values() for values in of.values()} == {2}
    rows = {(row.solver, row.evaluations): row.distances for row in results["rows"]["mixture"]}
    far, near = (np.mean(rows["DDIM", n]["sliced Wasserstein"]) for n in (2, 8))
    assert near < 0.8 * far
    adaptive = [row for row in results["rows"]["mixture"] if row.solver == "AdaptiveSDE"]
    assert all(row.evaluations > 10 for row in adaptive)
    assert (workdir / "work_precision.png").stat().st_size > 10_000
    assert "mixture, MMD squared" in (workdir / "table.txt").read_text()


def test_what_is_done_is_kept(fast, capsys):
    results, workdir, paths = fast
    (workdir / "results" / "mixture" / "DDIM 8.json").unlink()
    capsys.readouterr()
    again = run.run(workdir, paths, sizes.FAST, workers=1)
    assert capsys.readouterr().out.count("min left") == 1
    assert again["rows"] == results["rows"]
    more = sizes.FAST._replace(projections=50)
    with pytest.raises(Exception, match="empty one"):
        run.run(workdir, {"mixture": None}, more, workers=1)


def test_the_frechet_distance_of_exact_draws_is_that_of_their_number():
    """Exact draws lie at the floor, and draws moved by a tenth of the spread do not."""
    judge = subjects.judge_mixture(subjects.Amounts(2, 400, 20, 1000))
    floor, other = (judge.distances(x) for x in judge.floors)
    moved = judge.distances(judge.floors[0] + 0.1)
    for metric in subjects.METRICS:
        assert moved[metric] > max(floor[metric], other[metric])
    features = judge.features(judge.floors[0])
    mean, covariance = judge.moments.mean, judge.moments.covariance
    expected = frechet_gaussian(features.mean(0), np.cov(features.T), mean, covariance)
    assert floor["Frechet, classifier"] == pytest.approx(expected, rel=1e-9)


def row(solver, evaluations, *values):
    return report.Row(solver, evaluations, evaluations, {key: list(values) for key in subjects.METRICS})


def test_the_verdict_is_the_first_within_five_percent():
    """By hand: 6 % above is not within 5 %, 4 % is; one that varies reaches it, or has it on average."""
    rows = [
        row(report.FLOOR, 0, 0.9, 1.0, 0.8),
        row(solvers.REFERENCE, 1000, 1.0, 1.2, 1.1),
        row("PC other", 1000, 0.5, 0.6, 0.7),
        row("six", 3, 1.06, 1.272, 1.166),
        row("wide", 4, 1.4, 0.8, 1.4),
        row("spread", 6, 1.3, 0.9, 1.1),
        row("four", 8, 1.04, 1.248, 1.144),
        row("worse", 8, 1.045, 1.254, 1.1495),
    ]
    found = report.verdict(rows, "MMD squared", 1000)
    firsts = [(found[name]["solver"], found[name]["evaluations"]) for name in report.WITHIN]
    assert firsts == [("wide", 4), ("spread", 6), ("four", 8)]
    np.testing.assert_allclose(found["surely"]["ratio"], (1.04, 0), atol=1e-9)
    told = report.sentence("mixture", "MMD squared", found)
    assert "surely four at 8 (<= 10)" in told
    zero = [row(report.FLOOR, 0, 0.0, 0.1, -0.1), row(solvers.REFERENCE, 1000, -0.1, 0.1, 0.05)]
    assert "no verdict" in report.sentence("mixture", "x", report.verdict(zero, "MMD squared", 1000))


def test_the_sliced_distance_is_the_package_s():
    """Of fewer draws than test data, along other directions; a wrong repetition would be far off."""
    judge = subjects.judge_mixture(subjects.Amounts(2, 250, 400, 500))
    assert len(judge.test) == 2000
    x = 1.1 * judge.floors[0]
    expected = sliced_wasserstein(x, judge.test, np.random.default_rng(5), projections=400)
    np.testing.assert_allclose(judge.distances(x)["sliced Wasserstein"], expected, rtol=0.04)


def test_intervals_are_students():
    values = [0.3, 0.5, 0.1, 0.4]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    found = report.interval(values)
    np.testing.assert_allclose([found.mean - found.half, found.mean + found.half], [low, high])
    assert str(report.Interval(0.12345, 0.0042)) == "0.1235+-0.0042"
    assert str(report.Interval(12.345, 1.2)) == "12.3+-1.2"


@pytest.mark.parametrize("given", ["--solvers=Nobody", "--subjects=faces", "--digits=nowhere", "more"])
def test_mistakes_are_one_line(capsys, tmp_path, given):
    assert run.main(["run", f"--workdir={tmp_path}", "--fast", given]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
