"""``--mode=anomaly``: it ranks, it keeps what it learnt, and mistakes name file, row and column."""

import csv
import pathlib

import numpy as np
import pytest

from score_sde import anomaly, modes
from score_sde.anomaly import DiffusionOutlierDetector
from score_sde.anomaly.storage import load_detector, save_detector
from score_sde.config import build, load_config, override
from score_sde.data.rows import read_rows
from score_sde.errors import InputError
from score_sde.experiment.detecting import Detection, detect

CONFIG = str(pathlib.Path(__file__).parents[2] / "configs" / "anomaly.py")
RNG = np.random.default_rng(0)
PLANE = RNG.normal(size=(120, 2))
X = np.c_[PLANE, PLANE.sum(axis=1) + 0.1 * RNG.normal(size=120)]
STRANGE = 7  # of the new rows: no column is unusual by itself


def write(path, rows, header="id,first,second,third", delimiter=","):
    lines = [delimiter.join([f"r{i}", *(f"{value:.6f}" for value in row)]) for i, row in enumerate(rows)]
    path.write_text("\n".join(([header.replace(",", delimiter)] if header else []) + lines) + "\n")
    return str(path)


@pytest.fixture(name="files")
def normal_and_new(tmp_path):
    new = X[80:].copy()
    new[STRANGE, 2] += 6
    return write(tmp_path / "normal.csv", X[:80]), write(tmp_path / "new.csv", new)


def detection(data="", **options):
    detector = DiffusionOutlierDetector(anomaly.NearestTime(), random_state=0, **options)
    return Detection(detector=detector, data=data, ignore=("id",))


def test_the_strangest_row_comes_first_with_its_cells(files, tmp_path, capsys):
    normal, new = files
    scores = detect(detection(normal), tmp_path / "run", new)
    rows = list(csv.DictReader((tmp_path / "run" / "anomalies.csv").open()))
    assert list(rows[0]) == ["rank", "row", "score", "outlier", "id", "first", "second", "third"]
    assert (rows[0]["rank"], rows[0]["row"], rows[0]["id"]) == ("1", str(STRANGE + 1), f"r{STRANGE}")
    assert [int(row["outlier"]) for row in rows] == [int(float(row["score"]) > 0) for row in rows]
    ranked = np.array([float(row["score"]) for row in rows])
    np.testing.assert_allclose(ranked, np.sort(scores)[::-1], rtol=1e-4)
    assert f"r{STRANGE}" in capsys.readouterr().out


def test_it_is_trained_once(files, tmp_path, capsys):
    normal, new = files
    first = detect(detection(normal), tmp_path, new)
    pathlib.Path(normal).unlink()
    np.testing.assert_array_equal(detect(detection(), tmp_path, new), first)
    assert "found a trained detector" in capsys.readouterr().out


@pytest.mark.parametrize(
    "score",
    [
        anomaly.NoiseShapes(),
        anomaly.MultiscaleScoreNorms(norms=anomaly.ScoreNorms(sigmas=(0.5, 1.0))),
        anomaly.CategoricalTime(),
    ],
    ids=lambda score: type(score).__name__,
)
def test_a_kept_detector_is_the_one_that_was_trained(score, tmp_path):
    """Networks, statistics of the score, scaling and threshold, all as arrays."""
    tiny = {"width": 8, "depth": 1, "steps": 2, "batch_size": 8}
    trained = DiffusionOutlierDetector(score, random_state=3, **tiny).fit(X)
    save_detector(tmp_path / "detector.npz", trained, columns=np.array(["a", "b", "c"]))
    kept = DiffusionOutlierDetector(score, **tiny)
    assert load_detector(tmp_path / "detector.npz", kept)["columns"].tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(kept.decision_function(X), trained.decision_function(X))
    if trained.model_ is None:
        return  # no network whose width could be another
    with pytest.raises(InputError, match="these parameters"):
        load_detector(tmp_path / "detector.npz", DiffusionOutlierDetector(score, **{**tiny, "width": 4}))


def test_columns_are_found_by_name_in_any_order(files, tmp_path):
    normal, new = files
    expected = detect(detection(normal), tmp_path / "run", new)
    rows = read_rows(new, ignore=("id",)).values[:, [2, 0, 1]]
    moved = write(tmp_path / "moved.csv", rows, header="id,third,first,second", delimiter=";")
    np.testing.assert_allclose(detect(detection(), tmp_path / "run", moved), expected, rtol=1e-4)


def test_other_rows_to_learn_from_are_refused_where_a_detector_is(files, tmp_path):
    normal, new = files
    expected = detect(detection(normal), tmp_path / "run", new)
    np.testing.assert_array_equal(detect(detection(normal), tmp_path / "run", new), expected)
    other = write(tmp_path / "other.csv", X[:79])
    with pytest.raises(InputError, match=r"config.data.*other.csv.*choose another --workdir"):
        detect(detection(other), tmp_path / "run", new)
    with pytest.raises(InputError, match="exists"):
        detect(detection(str(tmp_path / "none.csv")), tmp_path / "run", new)


def test_a_gap_in_the_first_row_makes_it_no_header(tmp_path):
    path = tmp_path / "gap.csv"
    path.write_text("1.0,,3.0\n4,5,6\n")
    with pytest.raises(InputError, match=r"gap.csv, row 1, column '2'"):
        read_rows(path)


def test_arrays_and_tables_without_header(tmp_path):
    np.savez(tmp_path / "rows.npz", x=X.reshape(120, 3, 1))
    np.save(tmp_path / "rows.npy", X)
    (tmp_path / "rows.csv").write_text("\n".join(",".join(map(repr, row.tolist())) for row in X))
    for name in ("rows.npz", "rows.npy", "rows.csv"):
        rows = read_rows(tmp_path / name)
        np.testing.assert_array_equal(rows.values, X)
        assert rows.columns == ("1", "2", "3")
    whole = Detection(detector=detection().detector, data=str(tmp_path / "rows.npz"))
    scores = detect(whole, tmp_path, str(tmp_path / "rows.npy"))
    assert scores.shape == (120,)


BROKEN = {
    "a missing value": ("a,b\n1,2\n3,\n", ["row 2", "'b'", "a finite number"]),
    "NaN": ("a,b\nnan,2\n", ["row 1", "'a'", "nan"]),
    "infinity": ("a,b\n1,2\n1,-inf\n", ["row 2", "'b'", "-inf"]),
    "text": ("a,b\n1,2\n1,red\n", ["row 2", "'b'", "red"]),
    "a short row": ("a,b\n1,2\n1\n", ["row 2", "cells = 1", "2 as the header has"]),
    "a wrong column": ("a,bee\n1,2\n", ["a, bee", "'b'"]),
    "a column twice": ("a,a\n1,2\n", ["header", "'a'", "different"]),
    "a header only": ("a,b\n", ["at least one", "header only"]),
    "nothing": ("", ["at least one", "empty"]),
    "no text": (b"\xff\xfe\x00", ["UTF-8"]),
    "a column misspelt": ("a,bb\n1,2\n", ["'b'", "is it bb?"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_mistakes_in_a_table_name_file_row_and_column(name, tmp_path):
    text, told = BROKEN[name]
    path = tmp_path / "broken.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as error:
        read_rows(path, columns=("a", "b"))
    for words in ("broken.csv", *told):
        assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_mistakes_in_arrays_are_named(tmp_path):
    spoilt = X.copy()
    spoilt[4, 1] = np.nan
    np.save(tmp_path / "nan.npy", spoilt)
    with pytest.raises(InputError, match=r"nan.npy, row 5, column '2'"):
        read_rows(tmp_path / "nan.npy")
    np.save(tmp_path / "flat.npy", X[0])
    with pytest.raises(InputError, match=r"flat.npy.*shape \(rows"):
        read_rows(tmp_path / "flat.npy")
    np.save(tmp_path / "wide.npy", X)
    with pytest.raises(InputError, match=r"wide.npy = 3: expected 2, as in training"):
        read_rows(tmp_path / "wide.npy", columns=("1", "2"))
    with pytest.raises(InputError, match="exists"):
        read_rows(tmp_path / "absent.csv")
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"rows.parquet.*an ending of .csv"):
        read_rows(tmp_path / "rows.parquet")
    np.savez(tmp_path / "two.npz", a=X, b=X)
    with pytest.raises(InputError, match="one named x"):
        read_rows(tmp_path / "two.npz")


def test_nothing_to_learn_from_is_said(files, tmp_path):
    with pytest.raises(InputError, match="normal rows to learn from"):
        detect(detection(), tmp_path, files[1])
    with pytest.raises(InputError, match=r"'idd'.*did you mean id\?"):
        read_rows(files[1], ignore=("idd",))


def test_the_mode_takes_the_configuration(files, tmp_path):
    """As the command line calls it, with another score."""
    config = load_config(f"{CONFIG}:tiny")
    for field, value in (
        ("data", files[0]),
        ("ignore", '("id",)'),
        ("detector.anomaly_score", "score_sde.anomaly:NearestTime"),
    ):
        override(config, field, value)
    assert isinstance(build(config).detector.anomaly_score, anomaly.NearestTime)
    values = dict.fromkeys(modes.FLAGS) | {"workdir": str(tmp_path / "run"), "from": files[1]}
    modes.run_mode("anomaly", values | {"config": f"{CONFIG}:tiny"}, config)
    assert (tmp_path / "run" / "anomalies.csv").is_file()
    override(config, "detector.anomaly_score.k", "3")
    with pytest.raises(InputError, match="was trained with"):
        modes.run_mode("anomaly", values, config)
