"""The experiment: nothing looks at what is asked, all of it in seconds, and a user's series."""

import csv
import json

import numpy as np
import pytest

from experiments.series import classical, measure, run
from experiments.series.sources import SOURCES, sunspots
from experiments.series.tasks import BLOCK, FORECAST, GAPS, TASKS, task

SMALL = measure.FAST
QUICK = ("climatology", "seasonal naive", "interpolation")  # that fit nothing


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """What one run says, and where."""
    workdir = tmp_path_factory.mktemp("series")
    return run.run(workdir, SMALL, 1), workdir


def test_every_way_is_judged_and_pictured(fast):
    results, workdir = fast
    points = {(point["task"], point["way"]): point for point in results["points"]}
    ways = set(measure.ALL)
    assert {way for each, way in points if each == FORECAST} == ways - {"interpolation"}
    assert {way for each, way in points if each == GAPS} == ways - {"ETS"}
    assert {way for each, way in points if each == BLOCK} == ways - {"ETS"}
    for point in points.values():
        assert 0 < point["crps"]["mean"] < 60
        assert point["crps"]["half_width"] > 0
        assert point["windows"] == SMALL.windows
        assert sum(point["ranks"]) == point["seeds"] * SMALL.windows * _asked(point["task"])
    assert points[FORECAST, "score model"]["seeds"] == 2
    assert points[GAPS, "SARIMA"]["crps"]["mean"] < points[GAPS, "climatology"]["crps"]["mean"]
    assert json.loads((workdir / "results.json").read_text())["points"]
    for name in ("table.txt", "forecasts.png", "imputations.png", "ranks.png", "steps.png"):
        assert (workdir / name).stat().st_size > 500
    assert list(workdir.glob("forecasts.[gm][ip][f4]"))


def _asked(name):
    return {FORECAST: 12, BLOCK: 12, GAPS: 11}[name]


def test_what_is_done_is_kept(fast, capsys):
    results, workdir = fast
    (missing,) = workdir.glob("entries/sunspots/normal_law_0.npz")
    missing.unlink()
    capsys.readouterr()
    again = run.run(workdir, SMALL, 1)
    assert capsys.readouterr().out.count("min left") == 1
    for new, old in zip(again["points"], results["points"], strict=True):
        assert new["crps"] == old["crps"]


def test_results_of_another_size_are_not_mixed(fast, capsys):
    _, workdir = fast
    assert run.main(["run", f"--workdir={workdir}", "--fast", "--members=9"]) == 2
    assert "choose an empty one" in capsys.readouterr().err


def hidden_elsewhere(source, each):
    """The series with other values wherever a task's first window does not see, and later."""
    values, seen = source.values.copy(), each.seen[0]
    start, stop = int(each.starts[0]), int(each.starts[0]) + source.shape.length
    values[start:stop][~seen] = 17.0
    values[stop:] = 23.0
    return source._replace(values=values)


@pytest.mark.parametrize("name", TASKS)
def test_nothing_looks_at_what_is_asked(name):
    """Changing it, and all that comes after the window, changes no answer and nothing that is fitted."""
    source = sunspots()
    each = task(source, name)
    each = each._replace(starts=each.starts[:1], seen=each.seen[:1])
    other = hidden_elsewhere(source, each)
    np.testing.assert_array_equal(source.fitted, other.fitted)
    np.testing.assert_array_equal(each.parts(source).values, each.parts(other).values)
    np.testing.assert_array_equal(each.known(source, 0), each.known(other, 0))
    assert not np.array_equal(each.truth(source), each.truth(other))
    for way in (way for way in QUICK if classical.serves(way, name)):
        answers = [classical.WAYS[way].answer(s, each, 4, 0) for s in (source, other)]
        np.testing.assert_array_equal(*answers)
        assert answers[0].shape == (4, 1, _asked(name))


@pytest.mark.parametrize("name", SOURCES)
def test_tasks_ask_for_the_test_part_only(name):
    source = SOURCES[name]()
    assert 0 < source.held_from < source.test_from < len(source.values)
    for each in (task(source, name) for name in TASKS):
        places = each.starts[:, None] + np.arange(source.shape.length)
        assert places[~each.seen].min() >= source.test_from
        assert places.max() < len(source.values)
        assert each.truth(source).shape == (len(each.starts), _asked(each.name))


def test_the_series_are_those_of_the_literature():
    """Sunspots: 154.4 in 1778; carbon dioxide rises by 1.3 ppm a year; the sea is warmest in March."""
    spots, gas, sea = (make() for make in SOURCES.values())
    assert spots.values[1778 - 1700] == pytest.approx(154.4)
    assert len(spots.values) == 309
    assert np.isnan(gas.values[5 * 12 + 1 : 5 * 12 + 4]).all()  # February to April 1964
    assert (gas.values[-1] - gas.values[11]) / (gas.times[-1] - gas.times[11]) == pytest.approx(1.3, abs=0.1)
    assert np.argmax(sea.values.reshape(-1, 12).mean(axis=0)) == 2


def saved(tmp_path, values, extra=""):
    path = tmp_path / "own.csv"
    lines = [f"{2000 + n // 12}-{1 + n % 12:02d},{value}" for n, value in enumerate(values)]
    path.write_text("month,sales\n" + "\n".join(lines) + f"\n{extra}")
    return path


def test_a_users_series_is_forecast_and_its_gaps_filled(tmp_path, capsys):
    rng, months = np.random.default_rng(0), np.arange(240)
    values = 100 + 10 * np.sin(2 * np.pi * months / 12) + rng.normal(size=240)
    cells = [f"{value:.3f}" for value in values]
    for gap in (50, 120, 121, 239):
        cells[gap] = ""
    path, out = saved(tmp_path, cells), tmp_path / "out"
    # 32 values before 16: a window of 48, as the experiment's, which is compiled already
    flags = [f"--input={path}", "--column=sales", "--horizon=16", "--season=12", f"--workdir={out}", "--fast"]
    assert run.main(["run", *flags]) == 0
    with open(out / "forecast.csv") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["label"] for row in rows] == [f"+{step}" for step in range(1, 17)]
    ahead = 100 + 10 * np.sin(2 * np.pi * np.arange(240, 256) / 12)
    median = np.array([float(row["q50"]) for row in rows])
    assert np.abs(median - ahead).mean() < 2.5
    assert all(float(row["q05"]) < float(row["q50"]) < float(row["q95"]) for row in rows)
    with open(out / "imputed.csv") as stream:
        filled = list(csv.DictReader(stream))
    assert [int(row["row"]) for row in filled] == [51, 121, 122, 240]
    assert filled[0]["label"] == "2004-03"
    assert np.abs([float(row["mean"]) for row in filled] - values[[50, 120, 121, 239]]).max() < 6
    report = json.loads((out / "forecast.json").read_text())
    assert report["missing"] == 4
    assert report["shape"]["differences"] == 0
    assert (out / "forecast.png").stat().st_size > 500


@pytest.mark.parametrize(
    ("change", "flags", "told"),
    [
        ({}, ["--column=sale"], "did you mean sales?"),
        ({3: "x"}, [], "own.csv, row 4, column 'sales' = 'x'"),
        ({3: "-1"}, ["--scale=sqrt"], "value in row 4"),
        ({}, ["--horizon=40"], "number of rows = 90"),
        (
            dict.fromkeys(range(20, 70), ""),
            [],
            "own.csv, column 'sales': missing values in a row from row 21 on = 50",
        ),
        ({}, ["--horizon=no"], "horizon"),
        ({}, ["--saeson=3"], "did you mean --season?"),
    ],
)
def test_mistakes_are_one_line_and_lose_nothing(tmp_path, capsys, change, flags, told):
    cells = [str(change.get(n, n % 7)) for n in range(90)]
    path = saved(tmp_path, cells)
    kept = tmp_path / "forecast.csv"
    kept.write_text("kept")
    flags = [f"--input={path}", "--column=sales", "--season=1", f"--workdir={tmp_path}", "--fast", *flags]
    assert run.main(["run", *flags]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert told in lines[0]
    assert kept.read_text() == "kept"


@pytest.mark.parametrize("given", ["--series=moon", "--seeds=0", "--input=/nowhere.csv", "more"])
def test_other_mistakes_are_one_line(tmp_path, capsys, given):
    assert run.main(["run", f"--workdir={tmp_path}", "--fast", given]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
